using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Nerdbank.Streams;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;
using Qmp.Protocol.Wire;

namespace Qmp.Hosting;

/// <summary>
/// A QMP server with one's own commands. Handlers run on one thread of its own, one at a time, and go on there after what
/// they await: no locks are needed among them. Events go to every negotiated client.
/// </summary>
public sealed class QmpHost : IQmpEventSink, IAsyncDisposable
{
    private readonly List<HostConnection> _connections = [];
    private readonly List<HostListener> _listeners = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _quit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly QapiWriter _line = new();
    private TaskCompletionSource? _empty;
    private long _lastId;

    /// <summary>A server that serves nobody yet.</summary>
    /// <param name="commands">Makes the table of commands: the generated one, from <see cref="Control"/>,
    /// <see cref="Introspection"/> and one's own handlers.</param>
    /// <param name="options">What the server says of itself and allows.</param>
    public QmpHost(Func<QmpHost, IQmpCommandTable> commands, QmpHostOptions? options = null)
    {
        Options = options ?? new QmpHostOptions();
        Control = new HostCommands(this);
        Commands = commands(this);
        Thread = new HostThread();
    }

    /// <summary>Handlers of the module <c>control</c>: negotiation, version, list of commands, end.</summary>
    public IControlCommands Control { get; }

    /// <summary>Completed when a client has said <c>quit</c>. Whoever made the server disposes it then.</summary>
    public Task QuitRequested => _quit.Task;

    /// <summary>Cancelled when the server ends.</summary>
    public CancellationToken Stopping => _stopping.Token;

    internal QmpHostOptions Options { get; }

    internal IQmpCommandTable Commands { get; }

    internal HostThread Thread { get; }

    /// <summary>Handlers of the module <c>introspect</c>.</summary>
    /// <param name="schema">The answer: <c>QmpIntrospection.Instance</c> of the generated code.</param>
    /// <returns>The handlers.</returns>
    public static IIntrospectCommands Introspection(IQapiWritable schema) => new IntrospectCommands(schema);

    /// <summary>Listens on a Unix socket, for its owner only. Any thread.</summary>
    /// <param name="path">The path; a socket that a dead server left there is replaced.</param>
    /// <exception cref="SocketException">It cannot.</exception>
    public void ListenUnix(string path) => Listen(new UnixDomainSocketEndPoint(path));

    /// <summary>Listens on an address. QMP knows no passwords: whoever reaches it may do everything. Any thread.</summary>
    /// <param name="address">The address.</param>
    /// <returns>The address with its port, where none was asked for.</returns>
    /// <exception cref="SocketException">It cannot.</exception>
    public EndPoint Listen(EndPoint address)
    {
        var listener = new HostListener(address);
        lock (_listeners)
        {
            _listeners.Add(listener);
        }

        _ = listener.AcceptAsync(Serve, _stopping.Token);
        return listener.Address;
    }

    /// <summary>Serves a client that is connected already. Any thread.</summary>
    /// <param name="client">What it writes, and what it reads.</param>
    public void Serve(IDuplexPipe client) => Serve(client, () => client.Output.Complete());

    /// <inheritdoc/>
    public void Emit(QmpEvent qmpEvent)
    {
        var microseconds = QmpLines.Now();
        if (Thread.IsCurrent)
        {
            Send(qmpEvent, microseconds);
        }
        else
        {
            Thread.Post(_ => Send(qmpEvent, microseconds), null);
        }
    }

    /// <summary>Ends the server: no more clients, last replies, sockets removed. Idempotent. Not from a handler.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        lock (_listeners)
        {
            _listeners.ForEach(listener => listener.Dispose());
            _listeners.Clear();
        }

        var empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Thread.Post(_ => Close(empty), null);
        await Task.WhenAny(empty.Task, Task.Delay(Options.GoodbyeTime)).ConfigureAwait(false);
        Thread.Post(_ => _connections.ForEach(connection => connection.Abort()), null);
        Thread.Dispose();
    }

    internal void RequestQuit() => _quit.TrySetResult();

    internal void Remove(HostConnection connection)
    {
        _connections.Remove(connection);
        if (_connections.Count == 0)
        {
            _empty?.TrySetResult();
        }
    }

    private void Close(TaskCompletionSource empty)
    {
        _empty = empty;
        foreach (var connection in _connections.ToArray())
        {
            connection.Close();
        }

        if (_connections.Count == 0)
        {
            empty.TrySetResult();
        }
    }

    // The socket closes when the last byte of output has been sent.
    private void Serve(Socket socket)
    {
        var stream = new NetworkStream(socket, ownsSocket: true);
        Serve(new SocketPipe(stream.UsePipeReader(), PipeWriter.Create(stream)), socket.Dispose);
    }

    private void Serve(IDuplexPipe client, Action abort) => Thread.Post(
        _ =>
        {
            if (_stopping.IsCancellationRequested || _connections.Count >= Options.MaxConnections)
            {
                abort();
                return;
            }

            _connections.Add(new HostConnection(this, ++_lastId, client, abort));
        },
        null);

    private void Send(QmpEvent qmpEvent, long microseconds)
    {
        _line.Reset();
        QmpLines.Event(_line, qmpEvent, microseconds);
        foreach (var connection in _connections)
        {
            if (connection.IsNegotiated)
            {
                connection.Send(_line.WrittenSpan);
            }
        }
    }

    private sealed record SocketPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
