using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Block.Drivers;

/// <summary>
/// <c>raw</c>: its file as it is, or a window of it (<c>offset</c>, <c>size</c>). Requests pass through at no cost: the
/// block layer follows the fixed distance by itself.
/// </summary>
internal sealed class RawDriver : BlockDriver
{
    private long _offset;
    private long? _size;

    public override string FormatName => "raw";

    public override bool IsFormat => true;

    public override bool CanResize => true;

    public override BlockLimits Limits => Node.ChildEdges.Count == 0 ? BlockLimits.Any : PrimaryChild.Limits;

    protected internal override BlockDriverPath Path => BlockDriverPath.Linear;

    protected internal override long LinearOffset => _offset;

    protected internal override string? ExactFileName => HasWindowOptions ? null : PrimaryChild.Driver.ExactFileName;

    private bool HasWindowOptions => Node.Options.Raw is { Offset: not null } or { Size: not null };

    protected internal override async ValueTask OpenAsync(BlockOpenContext context)
    {
        var options = Require(context.Options.Raw);
        var child = await context.OpenChildAsync(
            "file",
            options.File,
            BlockChildRole.Primary | (IsWindow(options) ? BlockChildRole.Data : BlockChildRole.Filtered));
        CheckRange(options);
        (_offset, _size) = Window(options, child.LengthBytes);
    }

    protected internal override ValueTask<long> GetLengthAsync()
        => new(_size ?? Math.Max(0, PrimaryChild.LengthBytes - _offset));

    protected internal override async ValueTask<BlockStatus> GetStatusAsync(long offset, long length)
    {
        var status = await PrimaryChild.GetStatusAsync(offset + _offset, length);
        return status with
        {
            Flags = status.Flags | BlockStatusFlags.OffsetValid,
            MapNode = PrimaryChild,
            MapOffset = offset + _offset,
        };
    }

    protected internal override async ValueTask ResizeAsync(long length)
    {
        if (_size is not null)
        {
            throw new QmpException("Cannot resize fixed-size raw disks");
        }

        if (long.MaxValue - length < _offset)
        {
            throw new QmpException("Disk size too large for the chosen offset");
        }

        await BlockGraph.ResizeOwnAsync(PrimaryChild, length + _offset);
    }

    protected internal override void GetChildPermissions(
        string name, BlockChildRole role, ref BlockPermissions permissions, ref BlockPermissions shared)
    {
        // By the options, not by the role: a reopened node may have become a window.
        if (IsWindow(Node.Options.Raw!))
        {
            // A window into a file that others shorten may lose its ground.
            shared &= ~BlockPermissions.Resize;
        }
    }

    protected internal override IEnumerable<(string Name, BlockdevRef Reference)> GetChildReferences(BlockdevOptions options)
        => [("file", Require(options.Raw).File)];

    protected internal override ValueTask<object?> PrepareReopenAsync(BlockReopenContext context)
    {
        var options = Require(context.Options.Raw);
        CheckRange(options);
        return new(Window(options, context.ChildAfter("file").LengthBytes));
    }

    protected internal override ValueTask CommitReopenAsync(object? prepared)
    {
        (_offset, _size) = ((long, long?))prepared!;
        return default;
    }

    protected internal override void AddStrongOptions(IDictionary<string, object> options)
    {
        if (Node.Options.Raw?.Offset is { } offset)
        {
            options.Add("offset", offset);
        }

        if (Node.Options.Raw?.Size is { } size)
        {
            options.Add("size", size);
        }
    }

    private static bool IsWindow(BlockdevOptionsRaw options) => options.Offset is not (null or 0) || options.Size is not null;

    private static void CheckRange(BlockdevOptionsRaw options)
    {
        if (options.Offset < 0)
        {
            throw new QmpException($"Value '{options.Offset}' is out of range for parameter 'offset'");
        }

        if (options.Size < 0)
        {
            throw new QmpException($"Value '{options.Size}' is out of range for parameter 'size'");
        }
    }

    private static (long Offset, long? Size) Window(BlockdevOptionsRaw options, long fileLength)
    {
        var offset = options.Offset ?? 0;
        if (offset > fileLength)
        {
            throw new QmpException($"Offset ({offset}) cannot be greater than size of the containing file ({fileLength})");
        }

        if (options.Size is not { } size)
        {
            return (offset, null);
        }

        if (size > fileLength - offset)
        {
            throw new QmpException(
                $"The sum of offset ({offset}) and size ({size}) has to be smaller or equal to the  actual size of the containing file ({fileLength})");
        }

        return size % 512 != 0 ? throw new QmpException("Specified size is not multiple of 512") : (offset, size);
    }
}
