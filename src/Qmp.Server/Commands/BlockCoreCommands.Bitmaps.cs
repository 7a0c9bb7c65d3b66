using Qmp.Block;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using TransactionAction = Qmp.Block.TransactionAction;

namespace Qmp.Server.Commands;

// Each bitmap command is a transaction of one action: drained, and all or nothing.
internal sealed partial class BlockCoreCommands
{
    public ValueTask BlockDirtyBitmapAddAsync(BlockDirtyBitmapAdd arguments, QmpCommandContext context) =>
        RunAsync(BitmapActions.Add(arguments), context);

    public ValueTask BlockDirtyBitmapRemoveAsync(BlockDirtyBitmap arguments, QmpCommandContext context) =>
        RunAsync(BitmapActions.Remove(arguments), context);

    public ValueTask BlockDirtyBitmapClearAsync(BlockDirtyBitmap arguments, QmpCommandContext context) =>
        RunAsync(BitmapActions.Clear(arguments), context);

    public ValueTask BlockDirtyBitmapEnableAsync(BlockDirtyBitmap arguments, QmpCommandContext context) =>
        RunAsync(BitmapActions.Enable(arguments, enabled: true), context);

    public ValueTask BlockDirtyBitmapDisableAsync(BlockDirtyBitmap arguments, QmpCommandContext context) =>
        RunAsync(BitmapActions.Enable(arguments, enabled: false), context);

    public ValueTask BlockDirtyBitmapMergeAsync(BlockDirtyBitmapMerge arguments, QmpCommandContext context) =>
        RunAsync(BitmapActions.Merge(arguments), context);

    private ValueTask RunAsync(TransactionAction action, QmpCommandContext context) =>
        BlockTransaction.RunAsync(Graph, [action], cancellationToken: context.CancellationToken);
}
