using Qmp.Block;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Commands;

internal sealed partial class BlockCoreCommands
{
    public async ValueTask<IReadOnlyList<BlockDeviceInfo>> QueryNamedBlockNodesAsync(
        QueryNamedBlockNodesArguments arguments, QmpCommandContext context)
    {
        // Nodes may come and go while one is asked for its size: each is described as it was found.
        BlockNode[] nodes = [.. Graph.Nodes.Reverse()];
        List<BlockDeviceInfo> infos = new(nodes.Length);
        foreach (BlockNode node in nodes)
        {
            infos.Add(await NodeDescription.OfAsync(node));
        }

        return infos;
    }

    public ValueTask<IReadOnlyList<BlockInfo>> QueryBlockAsync(QueryBlockArguments arguments, QmpCommandContext context) =>
        ValueTask.FromResult<IReadOnlyList<BlockInfo>>([]);

    public ValueTask<IReadOnlyList<BlockStats>> QueryBlockstatsAsync(QueryBlockstatsArguments arguments, QmpCommandContext context) =>
        ValueTask.FromResult<IReadOnlyList<BlockStats>>(
            arguments.QueryNodes == true ? [.. Graph.Nodes.Select(NodeStatistics.Of)] : []);

    public ValueTask<XDbgBlockGraph> XDebugQueryBlockGraphAsync(QmpCommandContext context) =>
        ValueTask.FromResult(GraphPicture.Draw(Graph));
}
