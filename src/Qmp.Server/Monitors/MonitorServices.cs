using Qmp.Aio;
using Qmp.Protocol;

namespace Qmp.Server.Monitors;

/// <summary>What all connections of all monitors share.</summary>
/// <param name="main">The main loop.</param>
/// <param name="commands">The commands.</param>
/// <param name="events">Where handlers send events.</param>
/// <param name="log">Takes lines for the operator.</param>
/// <param name="haste">Cancelled when the daemon must stop in haste.</param>
internal sealed class MonitorServices(
    AioContext main, IQmpCommandTable commands, QmpEventBus events, Action<string> log, CancellationToken haste = default)
{
    private long _lastId;

    public AioContext Main { get; } = main;

    public AioScheduler Scheduler { get; } = new(main);

    public IQmpCommandTable Commands { get; } = commands;

    public QmpEventBus Events { get; } = events;

    public Action<string> Log { get; } = log;

    public CancellationToken Haste { get; } = haste;

    public long NextConnectionId() => ++_lastId;
}
