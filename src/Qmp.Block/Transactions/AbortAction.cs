using Qmp.Protocol;

namespace Qmp.Block;

/// <summary><c>abort</c>: fails, so that the transaction does.</summary>
public sealed class AbortAction : TransactionAction
{
    /// <inheritdoc/>
    public override string Name => "abort";

    /// <inheritdoc/>
    protected internal override ValueTask PrepareAsync(GraphChange change)
        => throw new QmpException("Transaction aborted using Abort action");
}
