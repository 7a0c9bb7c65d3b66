using Qmp.Block;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using TransactionAction = Qmp.Block.TransactionAction;

namespace Qmp.Server.Drains;

/// <summary>The transaction action <c>block-drain-begin</c>: several disks stop together, or not at all.</summary>
internal sealed class DrainBeginAction(ServerContext server, BlockDrainBegin options, IQmpConnection owner) : TransactionAction
{
    private NamedDrain? _drain;

    public override string Name => "block-drain-begin";

    public override IEnumerable<string> NodeNames => options.Nodes ?? server.Graph.Nodes.Select(node => node.NodeName);

    // The transaction has stopped the nodes already, within the time that the client set: there is nothing to wait for.
    protected override async ValueTask PrepareAsync(GraphChange change) =>
        _drain = await server.Drains.PrepareAsync(options, owner, nodes => server.Graph.DrainAsync(change, nodes));

    protected override ValueTask CommitAsync(GraphChange change)
    {
        _drain!.Commit();
        return ValueTask.CompletedTask;
    }

    protected override ValueTask AbortAsync(GraphChange change) => _drain!.Abort().EndAsync(change);
}
