using System.Text.Json;
using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;
using Qmp.Server.Descriptors;
using Qmp.Server.Objects;
using Qmp.Server.Sockets;

namespace Qmp.Server.Chardevs;

/// <summary>
/// The character device <c>socket</c>: it listens, or connects and connects again, and hands each connection to its
/// front end. Unlike QEMU's it takes as many clients at once as that wants. What may block is left to workers.
/// <b>Main</b>.
/// </summary>
internal sealed class SocketChardev : Chardev
{
    private const long AcceptPauseNs = 1_000_000_000;
    private const long MaxReconnectMs = long.MaxValue / 4 / 1_000_000;

    private readonly AioContext _main;
    private readonly Action<string> _logLine;
    private readonly Queue<int> _waiting = new();
    private readonly bool _isServer;
    private readonly long _reconnectNs;
    private readonly AioTimer _timer;
    private readonly bool _waitsForClient;
    private readonly SocketTls? _tls;
    private readonly ISocketDescriptors _descriptors;
    private ListeningSocket? _listener;
    private AioWatch? _watch;
    private TaskCompletionSource? _firstClient;
    private SocketAddress? _local;
    private string? _peer;
    private int _connections;
    private bool _isConnecting;
    private bool _isDisposed;

    private SocketChardev(
        ChardevSocket options,
        SocketAddress address,
        SocketTls? tls,
        ISocketDescriptors descriptors,
        AioContext main,
        Action<string> logLine,
        ChardevLog? log)
        : base("socket", log)
    {
        Address = address;
        _tls = tls;
        _descriptors = descriptors;
        _main = main;
        _logLine = logLine;
        _isServer = options.Server ?? true;
        _waitsForClient = _isServer && (options.Wait ?? false);
        _reconnectNs = Math.Clamp(options.ReconnectMs ?? 0, 0, MaxReconnectMs) * 1_000_000;
        _timer = main.NewTimer(OnTimer);
    }

    /// <summary>What a socket adds to the properties of a character device, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> OwnProperties { get; } =
    [
        new("connected", "bool", o => JsonElement.Parse(((SocketChardev)o).IsConnected ? "true" : "false")),
        new("addr", "SocketAddress", o => ((SocketChardev)o).AddressElement()),
    ];

    /// <summary>Where it listens or connects to. A listening socket that was passed in says itself where it stands.</summary>
    public SocketAddress Address { get; private set; }

    /// <inheritdoc/>
    public override string Description => (IsConnected ? "" : "disconnected:") + (_local ?? Address) switch
    {
        { Unix: { } unix } => "unix:" + unix.Path
            + (unix.Abstract == true ? unix.Tight == false ? ",abstract=on" : ",abstract=on,tight=on" : ""),
        { Inet: { } inet } => $"tcp:{inet.Host}:{inet.Port}",
        { Vsock: { } vsock } => $"vsock:{vsock.Cid}:{vsock.Port}",
        { Fd: { } fd } => "fd:" + fd.Str,
        _ => "",
    } + (_isServer ? ",server=on" : "") + (IsConnected && _peer is not null ? " <-> " + _peer : "");

    private bool IsConnected => _connections > 0 || _waiting.Count > 0;

    /// <summary>Makes the device: it listens, or has connected unless it may try again later.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="options">What it is.</param>
    /// <param name="objects">Where credentials are found.</param>
    /// <param name="descriptors">Where an address of type <c>fd</c> finds its socket.</param>
    /// <param name="main">The main loop.</param>
    /// <param name="logLine">Takes lines for the operator.</param>
    /// <param name="log">The file that gets a copy of what is sent.</param>
    /// <exception cref="QmpException">Options that do not fit together, or a socket that cannot be had.</exception>
    public static async ValueTask<SocketChardev> OpenAsync(
        string id,
        ChardevSocket options,
        QomContainer objects,
        ISocketDescriptors descriptors,
        AioContext main,
        Action<string> logLine,
        ChardevLog? log)
    {
        var tls = SocketTls.From(options, objects);
        var chardev = new SocketChardev(options, SocketOptions.Check(options), tls, descriptors, main, logLine, log) { Name = id };
        if (chardev._isServer)
        {
            await chardev.ListenAsync();
        }
        else
        {
            await chardev.ConnectAsync(mayRetry: chardev._reconnectNs > 0);
        }

        return chardev;
    }

    /// <inheritdoc/>
    public override async ValueTask WaitAsync()
    {
        if (_waitsForClient && _waiting.Count == 0)
        {
            _logLine($"info: QEMU waiting for connection on: {Description}");
            _firstClient = new TaskCompletionSource();
            Watch();
            await _firstClient.Task;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        Unwatch();
        _timer.Dispose();
        _firstClient?.TrySetException(new QmpException($"Chardev '{Name}' was removed"));
        while (_waiting.TryDequeue(out var fd))
        {
            _ = Libc.Close(fd);
        }

        if (_listener is { } listener)
        {
            listener.Dispose();
            _ = Libc.Close(listener.Fd);
        }
    }

    /// <inheritdoc/>
    protected override void OnAttached()
    {
        while (_connections < MaxConnections && _waiting.TryDequeue(out var fd))
        {
            Deliver(fd);
        }

        Watch();
        ConnectAgainLater();
    }

    /// <inheritdoc/>
    protected override void OnDetached()
    {
        Unwatch();
        _timer.Cancel();
    }

    private async ValueTask ListenAsync()
    {
        if (Address.Fd is { } passed)
        {
            _listener = ListeningSocket.Adopt(_descriptors.Take(passed.Str));
            Address = LocalAddress.Of(_listener.Fd) ?? Address;
        }
        else
        {
            _listener = await _main.RunOnWorkerAsync(() => ListeningSocket.Listen(Address));
        }

        _ = Libc.SetNonBlocking(_listener.Fd, true);
        if (Address.Inet is { } inet)
        {
            inet.Port = InetSockets.LocalPort(_listener.Fd).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    private void OnTimer()
    {
        if (_isServer)
        {
            Watch();
        }
        else if (!_isConnecting)
        {
            _ = ConnectAsync(mayRetry: true).AsTask();
        }
    }

    private async ValueTask ConnectAsync(bool mayRetry)
    {
        int fd;
        _isConnecting = true;
        try
        {
            if (Address.Fd is { } passed)
            {
                fd = _descriptors.Take(passed.Str);
                _local = LocalAddress.Of(fd);
            }
            else
            {
                fd = await _main.RunOnWorkerAsync(() => ConnectedSocket.Connect(Address));
            }
        }
        catch (QmpException e) when (mayRetry)
        {
            _isConnecting = false;
            if (!_isDisposed)
            {
                _logLine($"Unable to connect character device {Name}: {e.Description}");
                ConnectAgainLater();
            }

            return;
        }

        _isConnecting = false;
        if (_isDisposed)
        {
            _ = Libc.Close(fd);
        }
        else if (IsFrontEndOpen)
        {
            Deliver(fd);
        }
        else
        {
            _waiting.Enqueue(fd);
        }
    }

    private void ConnectAgainLater()
    {
        if (!_isServer && _reconnectNs > 0 && !IsConnected && !_isConnecting && !_isDisposed)
        {
            _timer.Arm(_main.NowNs + _reconnectNs);
        }
    }

    private void Watch()
    {
        if (_listener is { } listener && !_isDisposed && _watch is null && (IsFrontEndOpen || _firstClient is not null)
            && _connections < MaxConnections)
        {
            _watch = _main.Watch(listener.Fd, AioEvents.In, _ => Accept(listener.Fd));
        }
    }

    private void Unwatch()
    {
        _watch?.Dispose();
        _watch = null;
    }

    private void Accept(int listener)
    {
        while (_watch is not null)
        {
            var fd = Libc.Accept(listener, Libc.SOCK_NONBLOCK);
            if (fd is -Errno.EINTR or -Errno.ECONNABORTED)
            {
                continue;
            }

            if (fd == -Errno.EAGAIN)
            {
                return;
            }

            if (fd < 0)
            {
                // No descriptors or memory: it may pass, and must not make the loop spin.
                _logLine($"chardev '{Name}': cannot accept a connection: {Errno.Describe(fd)}");
                Unwatch();
                _timer.Arm(_main.NowNs + AcceptPauseNs);
                return;
            }

            if (IsFrontEndOpen)
            {
                Deliver(fd);
                if (_connections >= MaxConnections)
                {
                    Unwatch();
                }
            }
            else
            {
                _waiting.Enqueue(fd);
                Unwatch();
            }

            _firstClient?.TrySetResult();
            _firstClient = null;
        }
    }

    private void Deliver(int fd)
    {
        if ((_local ?? Address).Inet is not null)
        {
            _ = Libc.SetSocketOption(fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
            _peer = InetSockets.PeerOf(fd);
        }

        _connections++;
        SocketConnection connection = new(_main, fd) { Released = Released };
        if (_tls is null)
        {
            Deliver(connection);
        }
        else
        {
            _ = DeliverEncryptedAsync(_tls, connection);
        }
    }

    private async Task DeliverEncryptedAsync(SocketTls tls, SocketConnection plain)
    {
        ChardevConnection connection;
        try
        {
            connection = await tls.EncryptAsync(_main, plain);
        }
        catch (QmpException e)
        {
            plain.Abort();
            _logLine($"chardev '{Name}': {e.Description}");
            return;
        }

        if (IsFrontEndOpen)
        {
            Deliver(connection);
        }
        else
        {
            connection.Abort();
        }
    }

    private void Released()
    {
        _connections--;
        if (IsFrontEndOpen)
        {
            Watch();
            ConnectAgainLater();
        }
    }

    private JsonElement AddressElement()
    {
        var writer = new QapiWriter();
        Address.Write(writer);
        return JsonElement.Parse(writer.WrittenSpan);
    }
}
