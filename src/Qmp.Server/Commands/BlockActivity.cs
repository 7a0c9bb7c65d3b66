using Qmp.Block;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Commands;

/// <summary>What <c>query-block-activity</c> says: where nodes run and what their users do. <b>Main</b>.</summary>
internal static class BlockActivity
{
    internal static IReadOnlyList<BlockNodeActivity> Of(ServerContext server)
    {
        var loops = server.Objects.IoThreads.ToDictionary(o => o.Context, o => o.Name);
        var exports = server.Exports.All.Where(export => export.Backend is not null).ToDictionary(export => export.Backend, export => export.Options.Id);
        return
        [
            .. server.Graph.Nodes.Reverse().Select(node => new BlockNodeActivity
            {
                NodeName = node.NodeName,
                Iothread = loops.GetValueOrDefault(node.Home),
                Users = [.. server.Graph.Backends.Where(user => user.Root == node).Select(user => Describe(user, exports.GetValueOrDefault(user)))],
            }),
        ];
    }

    private static BlockUserActivity Describe(BlockBackend user, string? export)
    {
        user.Stats.MeasuresTime = true;
        return new()
        {
            Export = export,
            InFlight = (uint)user.InFlight,
            Held = user.IsDrained,
            Reads = Counts(user, BlockOp.Read),
            Writes = Counts(user, BlockOp.Write, BlockOp.WriteZeroes),
            Flushes = Counts(user, BlockOp.Flush),
            Discards = Counts(user, BlockOp.Discard),
        };
    }

    private static BlockRequestCounts Counts(BlockBackend user, params ReadOnlySpan<BlockOp> kinds)
    {
        BlockOperationStats sum = default;
        foreach (var kind in kinds)
        {
            var stats = user.Stats.Of(kind);
            sum.Operations += stats.Operations;
            sum.Bytes += stats.Bytes;
            sum.Failed += stats.Failed;
            sum.TotalTimeNs += stats.TotalTimeNs;
        }

        return new()
        {
            Operations = (ulong)sum.Operations,
            Bytes = (ulong)sum.Bytes,
            Failed = (ulong)sum.Failed,
            TotalTimeNs = (ulong)sum.TotalTimeNs,
        };
    }
}
