using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Commands;

/// <summary>Handlers of the module <c>dataplane</c>: watching disks and stopping them for a moment.</summary>
internal sealed class DataplaneCommands(ServerContext server) : IDataplaneCommands
{
    public ValueTask BlockDrainAsync(BlockDrainArguments arguments, QmpCommandContext context) =>
        server.Drains.DrainOnceAsync(arguments.Nodes, arguments.TimeoutMs, context);

    public ValueTask BlockDrainBeginAsync(BlockDrainBegin arguments, QmpCommandContext context) =>
        server.Drains.BeginAsync(arguments, context);

    public ValueTask BlockDrainEndAsync(BlockDrainEndArguments arguments, QmpCommandContext context) =>
        server.Drains.EndAsync(arguments.Id, context.Connection);

    public ValueTask<IReadOnlyList<BlockDrainInfo>> QueryBlockDrainsAsync(QmpCommandContext context) =>
        ValueTask.FromResult<IReadOnlyList<BlockDrainInfo>>(
            [.. server.Drains.Standing.Select(drain => drain.Describe(context.Connection))]);

    public ValueTask<IReadOnlyList<BlockNodeActivity>> QueryBlockActivityAsync(QmpCommandContext context) =>
        ValueTask.FromResult(BlockActivity.Of(server));
}
