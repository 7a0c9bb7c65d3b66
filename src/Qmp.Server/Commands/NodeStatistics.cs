using Qmp.Block;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Commands;

/// <summary>
/// What <c>query-blockstats</c> says about a node. Requests are counted at the users of nodes; as in QEMU, a node
/// itself knows its furthest write and what its driver counts. <b>Main</b>.
/// </summary>
internal static class NodeStatistics
{
    internal static BlockStats Of(BlockNode node) => new()
    {
        NodeName = node.NodeName,
        Stats = Counts(node),
        DriverSpecific = DriverSpecific(node),
        Parent = node.Children is [var child, ..] ? Of(child.Node) : null,
    };

    private static BlockStatsSpecific? DriverSpecific(BlockNode node)
    {
        if (node.Driver.DiscardCounts is not { } discards)
        {
            return null;
        }

        BlockStatsSpecificFile counts = new()
        {
            DiscardNbOk = (ulong)discards.Done,
            DiscardNbFailed = (ulong)discards.Refused,
            DiscardBytesOk = (ulong)discards.DoneBytes,
        };
        return node.Options.Driver == BlockdevDriver.File
            ? new BlockStatsSpecific { Driver = BlockdevDriver.File, File = counts }
            : new BlockStatsSpecific { Driver = BlockdevDriver.HostDevice, HostDevice = counts };
    }

    private static BlockDeviceStats Counts(BlockNode node) => new()
    {
        RdBytes = 0,
        WrBytes = 0,
        ZoneAppendBytes = 0,
        UnmapBytes = 0,
        RdOperations = 0,
        WrOperations = 0,
        ZoneAppendOperations = 0,
        FlushOperations = 0,
        UnmapOperations = 0,
        RdTotalTimeNs = 0,
        WrTotalTimeNs = 0,
        ZoneAppendTotalTimeNs = 0,
        FlushTotalTimeNs = 0,
        UnmapTotalTimeNs = 0,
        WrHighestOffset = node.WriteHighestOffset,
        RdMerged = 0,
        WrMerged = 0,
        ZoneAppendMerged = 0,
        UnmapMerged = 0,
        FailedRdOperations = 0,
        FailedWrOperations = 0,
        FailedZoneAppendOperations = 0,
        FailedFlushOperations = 0,
        FailedUnmapOperations = 0,
        InvalidRdOperations = 0,
        InvalidWrOperations = 0,
        InvalidZoneAppendOperations = 0,
        InvalidFlushOperations = 0,
        InvalidUnmapOperations = 0,
        AccountInvalid = false,
        AccountFailed = false,
        TimedStats = [],
    };
}
