using Qmp.Block;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Commands;

/// <summary>What <c>query-named-block-nodes</c> says about a node. <b>Main</b>.</summary>
internal static class NodeDescription
{
    internal static async ValueTask<BlockDeviceInfo> OfAsync(BlockNode node)
    {
        long allocated = await node.GetAllocatedBytesAsync();
        string fileName = node.FileName;
        return new BlockDeviceInfo
        {
            File = fileName,
            NodeName = node.NodeName,
            Ro = node.ReadOnly,
            Drv = node.Driver.FormatName,
            BackingFileDepth = 0,
            Children = [.. node.Children.Reverse().Select(child => new BlockdevChild { Child = child.Name, NodeName = child.Node.NodeName })],
            Active = node.Active,
            Encrypted = false,
            DetectZeroes = node.DetectZeroes,
            Bps = 0,
            BpsRd = 0,
            BpsWr = 0,
            Iops = 0,
            IopsRd = 0,
            IopsWr = 0,
            Image = new ImageInfo
            {
                Filename = fileName,
                Format = node.Driver.FormatName,
                DirtyFlag = StandsOnFile(node) ? false : null,
                ActualSize = allocated >= 0 ? allocated : null,
                VirtualSize = node.LengthBytes,
                Limits = LimitsOf(node.Limits),
                FormatSpecific = IsFile(node)
                    ? new ImageInfoSpecific
                    {
                        Type = ImageInfoSpecificKind.File,
                        File = new ImageInfoSpecificFileWrapper { Data = new ImageInfoSpecificFile() },
                    }
                    : null,
            },
            Cache = new BlockdevCacheInfo { Writeback = true, Direct = node.CacheDirect, NoFlush = node.CacheNoFlush },
            WriteThreshold = unchecked((long)node.WriteThreshold), // the schema has no sign on the way in, and one on the way out
            DirtyBitmaps = node.Bitmaps.Count == 0 ? null : [.. node.Bitmaps.Select(BitmapOf)],
        };
    }

    private static bool IsFile(BlockNode node) => node.Driver.FormatName is "file" or "host_device";

    /// <summary>The drivers that can say whether an image was closed properly, or have it said by their child.</summary>
    private static bool StandsOnFile(BlockNode node) =>
        IsFile(node) || (node.Driver.FormatName == "raw" && StandsOnFile(node.Children[0].Node));

    private static BlockLimitsInfo LimitsOf(BlockLimits limits) => new()
    {
        RequestAlignment = (uint)limits.RequestAlignment,
        DiscardAlignment = NonZero(limits.DiscardAlignment),
        WriteZeroesAlignment = NonZero(limits.WriteZeroesAlignment),
        MaxIov = limits.MaxSegments,
        MinMemAlignment = (ulong)limits.MinMemoryAlignment,
        OptMemAlignment = (ulong)limits.OptimalMemoryAlignment,
    };

    private static BlockDirtyInfo BitmapOf(DirtyBitmap bitmap) => new()
    {
        Name = bitmap.Name,
        Count = bitmap.DirtyBytes,
        Granularity = (uint)bitmap.Granularity,
        Recording = bitmap.Enabled,
        Busy = bitmap.Busy,
        Persistent = bitmap.Persistent,
        Inconsistent = bitmap.Inconsistent ? true : null,
    };

    private static uint? NonZero(int value) => value == 0 ? null : (uint)value;
}
