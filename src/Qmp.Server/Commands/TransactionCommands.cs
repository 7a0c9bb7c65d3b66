using Qmp.Block;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Drains;
using BlockAction = Qmp.Block.TransactionAction;
using SchemaAction = Qmp.Protocol.Schema.TransactionAction;

namespace Qmp.Server.Commands;

/// <summary>Handlers of the module <c>transaction</c>.</summary>
internal sealed class TransactionCommands(ServerContext server) : ITransactionCommands
{
    public async ValueTask TransactionAsync(TransactionArguments arguments, QmpCommandContext context)
    {
        bool grouped = arguments.Properties?.CompletionMode == ActionCompletionMode.Grouped;
        BlockAction[] actions = [.. arguments.Actions.Select(action => ActionOf(action, context))];
        using WaitLimit limit = new(server.Main, Timeout(arguments.Actions), context);
        try
        {
            await BlockTransaction.RunAsync(server.Graph, actions, grouped, limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw limit.Explain();
        }
    }

    /// <summary>All disks stop together, so the most impatient action says how long that may take.</summary>
    private static uint? Timeout(IReadOnlyList<SchemaAction> actions) =>
        actions.Min(action => action.BlockDrainBegin?.Data.TimeoutMs);

    private BlockAction ActionOf(SchemaAction action, QmpCommandContext context) => action.Type switch
    {
        TransactionActionKind.Abort => new AbortAction(),
        TransactionActionKind.BlockDirtyBitmapAdd => BitmapActions.Add(action.BlockDirtyBitmapAdd!.Data),
        TransactionActionKind.BlockDirtyBitmapRemove => BitmapActions.Remove(action.BlockDirtyBitmapRemove!.Data),
        TransactionActionKind.BlockDirtyBitmapClear => BitmapActions.Clear(action.BlockDirtyBitmapClear!.Data),
        TransactionActionKind.BlockDirtyBitmapEnable => BitmapActions.Enable(action.BlockDirtyBitmapEnable!.Data, enabled: true),
        TransactionActionKind.BlockDirtyBitmapDisable => BitmapActions.Enable(action.BlockDirtyBitmapDisable!.Data, enabled: false),
        TransactionActionKind.BlockDirtyBitmapMerge => BitmapActions.Merge(action.BlockDirtyBitmapMerge!.Data),
        TransactionActionKind.BlockDrainBegin => new DrainBeginAction(server, action.BlockDrainBegin!.Data, context.Connection),
        _ => throw new NotSupportedException(action.Type.ToString()),
    };
}
