using Qmp.Aio;
using Qmp.Protocol.Wire;

namespace Qmp.Server.Monitors;

/// <summary>The main loop, as the wire sees it. <b>Any</b>.</summary>
internal sealed class AioScheduler(AioContext context) : QmpScheduler
{
    public override bool IsCurrent => context.IsCurrent;

    public override void Post(Action<object?> callback, object? state) => context.Schedule(callback, state);
}
