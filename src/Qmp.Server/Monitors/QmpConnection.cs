using System.Runtime.InteropServices;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Wire;
using Qmp.Server.Chardevs;
using Qmp.Server.Descriptors;

namespace Qmp.Server.Monitors;

/// <summary>One client of a monitor, with its own negotiation, ids, order and output queue. <b>Main</b>.</summary>
internal sealed class QmpConnection : IQmpConnection
{
    private readonly CancellationTokenSource _closed = new();
    private readonly ChardevConnection _transport;
    private readonly QmpMessageHandler _handler;
    private readonly QmpJsonRpc _rpc;
    private readonly Action<QmpConnection> _onClosed;
    private readonly MonitorServices _services;

    /// <summary>Takes over a connection and greets.</summary>
    /// <param name="id">Number of the connection.</param>
    /// <param name="transport">The connection.</param>
    /// <param name="isPretty">Whether output has a line per member.</param>
    /// <param name="descriptors">The descriptors that the monitor's clients have named.</param>
    /// <param name="services">What all connections share.</param>
    /// <param name="onClosed">Called once, at the end.</param>
    public QmpConnection(
        long id,
        ChardevConnection transport,
        bool isPretty,
        NamedDescriptors descriptors,
        MonitorServices services,
        Action<QmpConnection> onClosed)
    {
        Id = id;
        IsPretty = isPretty;
        Descriptors = descriptors;
        _services = services;
        _onClosed = onClosed;
        _transport = transport;
        _handler = new QmpMessageHandler(_transport, new QmpMessageFormatter(isPretty), services.Scheduler)
        {
            Overflowed = Overflowed,
            ReadingBegins = transport.BeginReading,
            Descriptors = transport.AcceptDescriptors(),
        };
        _rpc = new QmpJsonRpc(
            _handler,
            services.Commands,
            new QmpCommandContext(this, services.Events, services.Haste),
            (command, e) => services.Log($"command '{command}' failed: {e}"));
        transport.Start(PeerGone, TransportClosed);
        Greet();
        _rpc.StartListening();
    }

    /// <inheritdoc/>
    public long Id { get; }

    /// <inheritdoc/>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Whether output has a line per member.</summary>
    public bool IsPretty { get; }

    /// <summary>The descriptors that clients of its monitor have named.</summary>
    public NamedDescriptors Descriptors { get; }

    /// <summary>Whether it gets events.</summary>
    public bool IsNegotiated => _rpc.IsNegotiated;

    /// <summary>What <c>qmp_capabilities</c> does.</summary>
    /// <param name="isOobEnabled">Whether the client enables <c>oob</c>.</param>
    public void Negotiate(bool isOobEnabled) => _rpc.Negotiate(isOobEnabled);

    /// <summary>Where the addresses of type <c>fd</c> find their sockets that a client, or the command line, speaks of.</summary>
    public static ISocketDescriptors DescriptorsOf(IQmpConnection connection) =>
        connection is QmpConnection own ? own.Descriptors : InheritedDescriptors.Instance;

    /// <summary>Takes the descriptor that came with the command that runs; null when there is none.</summary>
    public SafeHandle? TakeDescriptor() => _handler.TakeDescriptor();

    /// <summary>Sends an event. Never blocks.</summary>
    /// <param name="line">Its text without the end of the line.</param>
    public void Send(ReadOnlySpan<byte> line) => _handler.Send(line);

    /// <summary>Closes after what is queued for output has been sent, as far as the client takes it at once.</summary>
    public void Close() => _handler.Dispose();

    /// <summary>Closes at once.</summary>
    public void Abort() => _transport.Abort();

    private void Greet()
    {
        var writer = new QapiWriter(IsPretty);
        QmpLines.Greeting(writer, QmpVersion.Current);
        _handler.Send(writer.WrittenSpan);
    }

    private void Overflowed()
    {
        _services.Log($"monitor client {Id} does not read what it is sent: connection closed");
        _services.Main.Schedule(static connection => ((QmpConnection)connection!).Abort(), this);
    }

    private void PeerGone() => _closed.Cancel();

    private void TransportClosed()
    {
        _closed.Cancel();
        _handler.Dispose();
        _rpc.Dispose();
        _onClosed(this);
    }
}
