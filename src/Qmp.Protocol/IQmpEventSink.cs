namespace Qmp.Protocol;

/// <summary>Where events go: to every negotiated connection of every monitor.</summary>
public interface IQmpEventSink
{
    /// <summary>
    /// Sends an event; its timestamp is now. <b>Any</b> thread: from another loop than the main one it is handed over,
    /// in order. Never blocks and never throws.
    /// </summary>
    /// <param name="qmpEvent">The event.</param>
    void Emit(QmpEvent qmpEvent);
}
