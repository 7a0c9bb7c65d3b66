using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Commands;

/// <summary>The commands of module <c>misc</c>.</summary>
internal sealed partial class MiscCommands(ServerContext server) : IMiscCommands
{
    public ValueTask<IReadOnlyList<IOThreadInfo>> QueryIothreadsAsync(QmpCommandContext context) =>
        ValueTask.FromResult<IReadOnlyList<IOThreadInfo>>(
            [
                .. server.Objects.IoThreads.Select(o => new IOThreadInfo
                {
                    Id = o.Name,
                    ThreadId = o.ThreadId,
                    PollMaxNs = o.Context.PollMaxNs,
                    PollGrow = o.Context.PollGrow,
                    PollShrink = o.Context.PollShrink,
                    AioMaxBatch = o.Context.AioMaxBatch,
                }),
            ]);
}
