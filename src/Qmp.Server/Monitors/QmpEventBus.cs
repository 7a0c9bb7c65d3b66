using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Wire;

namespace Qmp.Server.Monitors;

/// <summary>
/// Sends each event to every negotiated connection of every monitor, written once. Events that QEMU limits in rate are
/// limited: one at once, then at most one per interval, the latest.
/// </summary>
/// <param name="main">The main loop.</param>
public sealed class QmpEventBus(AioContext main) : IQmpEventSink
{
    private readonly List<QmpConnection> _connections = [];
    private readonly QapiWriter _line = new();
    private readonly QapiWriter _prettyLine = new(pretty: true);
    private readonly EventThrottle _throttle = new(main);

    /// <inheritdoc/>
    public void Emit(QmpEvent qmpEvent)
    {
        var microseconds = QmpLines.Now();
        if (main.IsCurrent)
        {
            Throttle(qmpEvent, microseconds);
        }
        else
        {
            main.Schedule(() => Throttle(qmpEvent, microseconds));
        }
    }

    /// <summary>A connection joins; it gets events once it is negotiated. <b>Main</b>.</summary>
    internal void Add(QmpConnection connection) => _connections.Add(connection);

    /// <summary>A connection is gone. <b>Main</b>.</summary>
    internal void Remove(QmpConnection connection) => _connections.Remove(connection);

    private void Throttle(QmpEvent qmpEvent, long microseconds) => _throttle.Pass(qmpEvent, microseconds, Send);

    private void Send(QmpEvent qmpEvent, long microseconds)
    {
        _line.Reset();
        _prettyLine.Reset();
        for (var i = _connections.Count - 1; i >= 0; i--)
        {
            var connection = _connections[i];
            if (connection.IsNegotiated)
            {
                var writer = connection.IsPretty ? _prettyLine : _line;
                if (writer.WrittenSpan.IsEmpty)
                {
                    QmpLines.Event(writer, qmpEvent, microseconds);
                }

                connection.Send(writer.WrittenSpan);
            }
        }
    }
}
