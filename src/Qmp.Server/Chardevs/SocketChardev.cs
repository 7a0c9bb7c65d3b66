using System.Text.Json;
using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;
using Qmp.Server.Sockets;

namespace Qmp.Server.Chardevs;

/// <summary>
/// The character device <c>socket</c>: it listens, or connects and connects again, and hands each connection to the
/// one who attached. Unlike QEMU's it takes many clients at once. <b>Main</b>.
/// </summary>
internal sealed class SocketChardev : IDisposable
{
    /// <summary>Clients at once; further ones wait in the kernel's queue.</summary>
    public const int MaxConnections = 1024;

    private const long AcceptPauseNs = 1_000_000_000;

    private readonly AioContext _main;
    private readonly Action<string> _log;
    private readonly ListeningSocket? _listener;
    private readonly Queue<int> _waiting = new();
    private readonly long _reconnectNs;
    private int _listenFd = -1;
    private AioWatch? _watch;
    private AioTimer? _timer;
    private Action<int>? _connected;
    private TaskCompletionSource? _firstClient;
    private int _connections;
    private bool _isDisposed;

    /// <summary>Makes the device: listens or connects.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="options">What it is.</param>
    /// <param name="main">The main loop.</param>
    /// <param name="log">Takes lines for the operator.</param>
    /// <exception cref="QmpException">Options that do not fit together, or a socket that cannot be had.</exception>
    public SocketChardev(string id, ChardevSocket options, AioContext main, Action<string> log)
    {
        Id = id;
        Address = Check(options);
        IsServer = options.Server ?? true;
        WaitsForClient = IsServer && (options.Wait ?? false);
        _main = main;
        _log = log;
        _reconnectNs = (options.ReconnectMs ?? 0) * 1_000_000;
        if (IsServer && Address.Inet is { } inet)
        {
            _listenFd = InetSockets.Listen(inet);
            inet.Port = InetSockets.LocalPort(_listenFd).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        else if (IsServer)
        {
            _listener = ListeningSocket.Create(Address);
            _listenFd = _listener.Fd;
        }
        else
        {
            Connect(mayRetry: _reconnectNs > 0);
        }

        if (IsServer)
        {
            _ = Libc.SetNonBlocking(_listenFd, true);
        }
    }

    /// <summary>Its name.</summary>
    public string Id { get; }

    /// <summary>Where it listens or connects to.</summary>
    public SocketAddress Address { get; }

    /// <summary>Whether it listens.</summary>
    public bool IsServer { get; }

    /// <summary>Whether the start of the daemon waits for a client.</summary>
    public bool WaitsForClient { get; }

    /// <summary>Whether it has a client.</summary>
    public bool IsConnected => _connections > 0 || _waiting.Count > 0;

    /// <summary>Whether somebody uses it.</summary>
    public bool IsInUse { get; set; }

    /// <summary>The address as properties show it.</summary>
    public JsonElement AddressElement
    {
        get
        {
            var writer = new QapiWriter();
            Address.Write(writer);
            return JsonElement.Parse(writer.WrittenSpan);
        }
    }

    /// <summary>How QEMU names it in messages.</summary>
    public string Description => (IsConnected ? "" : "disconnected:") + Address switch
    {
        { Unix: { } unix } => "unix:" + unix.Path
            + (unix.Abstract == true ? $",abstract=on,tight={(unix.Tight == false ? "off" : "on")}" : ""),
        { Inet: { } inet } => $"tcp:{inet.Host}:{inet.Port}",
        { Fd: { } fd } => "fd:" + fd.Str,
        _ => "",
    } + (IsServer ? ",server=on" : "");

    /// <summary>Completes when a client has come, for <c>wait=on</c>.</summary>
    public Task WaitAsync()
    {
        _log($"info: QEMU waiting for connection on: {Description}");
        _firstClient = new TaskCompletionSource();
        Watch();
        return _firstClient.Task;
    }

    /// <summary>Hands over the connections that there are and those that come.</summary>
    /// <param name="connected">Takes a descriptor, which is then its own.</param>
    public void Attach(Action<int> connected)
    {
        _connected = connected;
        while (_waiting.TryDequeue(out var fd))
        {
            Deliver(fd);
        }

        Watch();
    }

    /// <summary>Takes no more connections.</summary>
    public void Detach()
    {
        _connected = null;
        _watch?.Dispose();
        _watch = null;
        _timer?.Dispose();
        _timer = null;
    }

    /// <summary>One of the connections that were handed over has closed.</summary>
    public void ConnectionClosed()
    {
        _connections--;
        if (_connected == null || _isDisposed)
        {
            return;
        }

        if (IsServer)
        {
            Watch();
        }
        else if (_reconnectNs > 0)
        {
            RetryLater();
        }
    }

    /// <summary>Closes the listening socket and removes its name.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        Detach();
        _listener?.Dispose();
        if (_listenFd >= 0)
        {
            _ = Libc.Close(_listenFd);
            _listenFd = -1;
        }

        while (_waiting.TryDequeue(out var fd))
        {
            _ = Libc.Close(fd);
        }
    }

    private static SocketAddress Check(ChardevSocket options)
    {
        var isServer = options.Server ?? true;
        if (isServer && (options.ReconnectMs ?? 0) != 0)
        {
            throw new QmpException("'reconnect' option is incompatible with socket in server listen mode");
        }

        if (!isServer && options.Wait != null)
        {
            throw new QmpException("'wait' option is incompatible with socket in client connect mode");
        }

        if (!isServer && options.Websocket == true)
        {
            throw new QmpException("Websocket client is not implemented");
        }

        if (options.TlsAuthz != null && options.TlsCreds == null)
        {
            throw new QmpException("'tls_authz' option requires 'tls_creds' option");
        }

        if (options.TlsCreds is { } credentials)
        {
            throw new QmpException($"No TLS credentials with id '{credentials}'");
        }

        if (options.Telnet == true || options.Tn3270 == true || options.Websocket == true)
        {
            throw new QmpException("Only plain sockets are supported");
        }

        return options.Addr switch
        {
            { Unix.Data: { } unix } => new SocketAddress { Type = SocketAddressType.Unix, Unix = unix },
            { Inet.Data: { } inet } => new SocketAddress { Type = SocketAddressType.Inet, Inet = inet },
            { Fd.Data: { } fd } => new SocketAddress { Type = SocketAddressType.Fd, Fd = fd },
            _ => throw new QmpException("Only socket address types 'unix', 'inet' and 'fd' are supported"),
        };
    }

    private void Watch()
    {
        if (_listenFd >= 0 && _watch == null && (_connected != null || _firstClient != null) && _connections < MaxConnections)
        {
            _watch = _main.Watch(_listenFd, AioEvents.In, _ => Accept());
        }
    }

    private void Unwatch()
    {
        _watch?.Dispose();
        _watch = null;
    }

    private void Accept()
    {
        while (_watch != null)
        {
            var fd = Libc.Accept(_listenFd, Libc.SOCK_NONBLOCK);
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
                _log($"chardev '{Id}': cannot accept a connection: {Errno.Describe(fd)}");
                Unwatch();
                _timer ??= _main.NewTimer(Watch);
                _timer.Arm(_main.NowNs + AcceptPauseNs);
                return;
            }

            if (_connected != null)
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
        if (Address.Inet != null)
        {
            _ = Libc.SetSocketOption(fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
        }

        _connections++;
        _connected!(fd);
    }

    private void Connect(bool mayRetry)
    {
        int fd;
        try
        {
            fd = Open();
        }
        catch (QmpException e) when (mayRetry)
        {
            _log($"Unable to connect character device {Id}: {e.Description}");
            RetryLater();
            return;
        }

        if (_connected != null)
        {
            Deliver(fd);
        }
        else
        {
            _waiting.Enqueue(fd);
        }
    }

    private void RetryLater()
    {
        _timer ??= _main.NewTimer(() => Connect(mayRetry: true));
        _timer.Arm(_main.NowNs + _reconnectNs);
    }

    private int Open() => Address switch
    {
        { Unix: { } unix } => ConnectUnix(unix),
        { Fd: { } fd } => ListeningSocket.ParseDescriptor(fd.Str),
        _ => InetSockets.Connect(Address.Inet!),
    };

    private static int ConnectUnix(UnixSocketAddress unix)
    {
        var address = Libc.UnixAddress(unix.Abstract == true ? "\0" + unix.Path : unix.Path)
            ?? throw new QmpException($"UNIX socket path '{unix.Path}' is too long");
        if (unix.Abstract == true && unix.Tight == false)
        {
            Array.Resize(ref address, 2 + Libc.MaxUnixPathBytes + 1);
        }

        var fd = Libc.Socket(Libc.AF_UNIX, Libc.SOCK_STREAM);
        var result = fd < 0 ? fd : Libc.Connect(fd, address);
        if (result >= 0)
        {
            return fd;
        }

        if (fd >= 0)
        {
            _ = Libc.Close(fd);
        }

        throw new QmpException($"Failed to connect to '{unix.Path}': {Errno.Describe(result)}");
    }
}
