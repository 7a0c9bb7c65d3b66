namespace Qmp.Protocol;

/// <summary>What a command handler knows about its caller. One object serves all commands of a connection.</summary>
/// <param name="connection">The caller's connection.</param>
/// <param name="events">Where events go.</param>
/// <param name="cancellationToken">Cancelled when the daemon must stop in haste.</param>
public sealed class QmpCommandContext(IQmpConnection connection, IQmpEventSink events, CancellationToken cancellationToken = default)
{
    /// <summary>The caller's connection. <b>Any</b>.</summary>
    public IQmpConnection Connection { get; } = connection;

    /// <summary>
    /// Cancelled when the daemon must stop in haste. Not when the client goes away: a command that has started
    /// finishes. <b>Any</b>.
    /// </summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>Where events go. <b>Any</b>.</summary>
    public IQmpEventSink Events { get; } = events;

    /// <summary>Sends an event to every negotiated connection. <b>Any</b>.</summary>
    /// <param name="qmpEvent">The event.</param>
    public void EmitEvent(QmpEvent qmpEvent) => Events.Emit(qmpEvent);
}
