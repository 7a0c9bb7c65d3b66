using System.IO.Pipelines;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Wire;

namespace Qmp.Hosting;

/// <summary>One client, with its own negotiation, ids, order and output queue. On the server's thread.</summary>
internal sealed class HostConnection : IQmpConnection
{
    private readonly CancellationTokenSource _closed = new();
    private readonly QmpMessageHandler _handler;
    private readonly QmpJsonRpc _rpc;
    private readonly Action _abort;

    /// <summary>Greets.</summary>
    /// <param name="host">The server.</param>
    /// <param name="id">Number of the connection.</param>
    /// <param name="transport">The client.</param>
    /// <param name="abort">Closes the transport at once.</param>
    public HostConnection(QmpHost host, long id, IDuplexPipe transport, Action abort)
    {
        Id = id;
        _abort = abort;
        _handler = new QmpMessageHandler(transport, new QmpMessageFormatter(), host.Thread)
        {
            Overflowed = () =>
            {
                host.Options.Log($"client {id} does not read what it is sent: connection closed");
                host.Thread.Post(static connection => ((HostConnection)connection!).Abort(), this);
            },
        };
        _rpc = new QmpJsonRpc(
            _handler, host.Commands, new QmpCommandContext(this, host, host.Stopping),
            (command, e) => host.Options.Log($"command '{command}' failed: {e}"));
        var greeting = new QapiWriter();
        QmpLines.Greeting(greeting, host.Options.Version);
        _handler.Send(greeting.WrittenSpan);
        _rpc.StartListening();
        _ = WaitForEndAsync(host);
    }

    public long Id { get; }

    public CancellationToken Closed => _closed.Token;

    public bool IsNegotiated => _rpc.IsNegotiated;

    public void Negotiate(bool isOobEnabled) => _rpc.Negotiate(isOobEnabled);

    public void Send(ReadOnlySpan<byte> line) => _handler.Send(line);

    /// <summary>Closes after what is queued for output has been sent.</summary>
    public void Close() => _handler.Dispose();

    /// <summary>Closes at once.</summary>
    public void Abort() => _abort();

    private async Task WaitForEndAsync(QmpHost host)
    {
        try
        {
            await _rpc.Completion; // goes on on the server's thread
        }
        catch (Exception e)
        {
            host.Options.Log($"client {Id}: {e.Message}");
        }

        await _closed.CancelAsync();
        _handler.Dispose();
        _rpc.Dispose();
        host.Remove(this);
    }
}
