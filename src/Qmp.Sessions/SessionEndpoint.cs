using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Qmp.Sessions;

/// <summary>
/// Where a server listens: the path of a Unix socket, <c>unix:PATH</c>, <c>@NAME</c> of an abstract one,
/// <c>HOST:PORT</c> or <c>tcp:HOST:PORT</c>.
/// </summary>
public sealed class SessionEndpoint
{
    private readonly string? _path;
    private readonly string _host = "";
    private readonly int _port;

    private SessionEndpoint(string path) => _path = path;

    private SessionEndpoint(string host, int port)
    {
        _host = host;
        _port = port;
    }

    /// <summary>The address of the Unix socket, where an abstract name begins with a zero byte; null for TCP.</summary>
    public string? UnixAddress => _path;

    /// <summary>The path of the Unix socket, or null for TCP and abstract ones.</summary>
    public string? Path => _path is { Length: > 0 } && _path[0] != '\0' ? _path : null;

    /// <summary>The host for TCP, or null.</summary>
    public string? Host => _path is null ? _host : null;

    /// <summary>The port for TCP.</summary>
    public int Port => _port;

    /// <summary>Reads a text as the command line has it.</summary>
    /// <exception cref="FormatException">It names no place.</exception>
    public static SessionEndpoint Parse(string text)
    {
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            return Unix(text[5..]);
        }

        var isTcp = text.StartsWith("tcp:", StringComparison.Ordinal);
        var address = isTcp ? text[4..] : text;
        var colon = address.LastIndexOf(':');
        if (isTcp || (colon > 0 && !address.Contains('/') && !File.Exists(address)))
        {
            if (colon < 0 || !ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            {
                throw new FormatException($"'{text}' is no address: expected HOST:PORT");
            }

            return new(address[..colon].Trim('[', ']') is { Length: > 0 } host ? host : "localhost", port);
        }

        return Unix(text);
    }

    /// <summary>Connects.</summary>
    /// <exception cref="IOException">Nobody listens there.</exception>
    public async Task<Socket> ConnectAsync(CancellationToken cancellation)
    {
        if (_path is null)
        {
            var tcp = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            return await ConnectedAsync(tcp, () => tcp.ConnectAsync(_host, _port, cancellation));
        }

        var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        return await ConnectedAsync(unix, () => unix.ConnectAsync(new UnixDomainSocketEndPoint(_path), cancellation));
    }

    /// <summary>Listens. A socket file that nobody listens on is replaced; a new one is for its owner only.</summary>
    /// <exception cref="SocketException">The address is in use or forbidden.</exception>
    public async Task<Socket> ListenAsync()
    {
        if (_path is null)
        {
            var address = (await Dns.GetHostAddressesAsync(_host))[0];
            var tcp = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            return Listening(tcp, new IPEndPoint(address, _port));
        }

        if (Path is not null && File.Exists(Path) && !await IsServedAsync())
        {
            File.Delete(Path);
        }

        var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _ = Aio.Libc.Fchmod((int)unix.Handle, 0x180); // 0600
        return Listening(unix, new UnixDomainSocketEndPoint(_path));
    }

    /// <inheritdoc/>
    public override string ToString() => _path is null ? $"{_host}:{_port.ToString(CultureInfo.InvariantCulture)}" : _path.Replace('\0', '@');

    private static SessionEndpoint Unix(string path)
    {
        if (path.Length == 0)
        {
            throw new FormatException("a socket needs a path");
        }

        if (System.Text.Encoding.UTF8.GetByteCount(path) > Aio.Libc.MaxUnixPathBytes || path.Contains('\0'))
        {
            throw new FormatException($"the path of a socket has at most {Aio.Libc.MaxUnixPathBytes} bytes: '{path}'");
        }

        return new(path[0] == '@' ? "\0" + path[1..] : path);
    }

    private static Socket Listening(Socket socket, EndPoint endPoint)
    {
        try
        {
            socket.Bind(endPoint);
            socket.Listen(128);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<Socket> ConnectedAsync(Socket socket, Func<ValueTask> connect)
    {
        try
        {
            await connect();
            return socket;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            // What .NET makes of a path that does not exist.
            socket.Dispose();
            throw new FileNotFoundException($"cannot connect to {this}: no such socket");
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"cannot connect to {this}: {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // Only a socket that refuses is left over; anything else in its place is not ours to delete.
    private async Task<bool> IsServedAsync()
    {
        try
        {
            (await ConnectAsync(CancellationToken.None)).Dispose();
            return true;
        }
        catch (IOException e)
        {
            var isRefused = (e.InnerException as SocketException)?.SocketErrorCode == SocketError.ConnectionRefused;
            return !isRefused || Aio.Libc.Stat(Path!, out var status) != 0 || !status.IsSocket;
        }
    }
}
