using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Descriptors;

namespace Qmp.Server.Sockets;

/// <summary>A listening socket: made at an address, or passed in as a descriptor. <b>Any</b>, one at a time.</summary>
internal sealed class ListeningSocket : IDisposable
{
    private const int Backlog = 128;

    private readonly OwnedPath? _path;

    private ListeningSocket(int fd, string? path)
    {
        Fd = fd;
        _path = path is null ? null : OwnedPath.Of(path);
    }

    /// <summary>The descriptor. Whoever takes it over closes it.</summary>
    public int Fd { get; }

    /// <summary>Makes a socket. May block, where a name has to be looked up.</summary>
    /// <param name="address">Its address, which is not of type <c>fd</c>.</param>
    /// <exception cref="QmpException">It cannot be made.</exception>
    public static ListeningSocket Listen(SocketAddress address) => address switch
    {
        { Inet: { } inet } => new(InetSockets.Listen(inet), null),
        { Vsock: { } vsock } => new(VsockSockets.Listen(vsock), null),
        _ => Bind(address.Unix!),
    };

    /// <summary>Makes a Unix socket.</summary>
    /// <param name="address">Of type <c>unix</c> or <c>fd</c>.</param>
    /// <param name="descriptors">Where those of type <c>fd</c> are found.</param>
    /// <exception cref="QmpException">It cannot be made.</exception>
    public static ListeningSocket ListenHere(SocketAddress address, ISocketDescriptors descriptors) => address switch
    {
        { Unix: { } unix } => Bind(unix),
        { Fd: { } fd } => Adopt(descriptors.Take(fd.Str)),
        _ => throw new QmpException("Only socket address types 'unix' and 'fd' are supported"),
    };

    /// <summary>Removes the name. The descriptor is closed by its owner.</summary>
    public void Dispose() => _path?.Dispose();

    /// <summary>Listens on a socket that somebody has made and bound.</summary>
    /// <param name="fd">The socket, which is closed if it cannot listen.</param>
    /// <exception cref="QmpException">It cannot.</exception>
    public static ListeningSocket Adopt(int fd)
    {
        var result = Libc.Listen(fd, Backlog);
        if (result < 0)
        {
            _ = Libc.Close(fd);
            throw new QmpException($"Failed to listen on fd socket: {Errno.Describe(result)}");
        }

        return new ListeningSocket(fd, null);
    }

    /// <summary>A Unix address in the kernel's layout.</summary>
    /// <exception cref="QmpException">It is too long.</exception>
    public static byte[] AddressOf(UnixSocketAddress unix)
    {
        var isAbstract = unix.Abstract ?? false;
        var address = Libc.UnixAddress(isAbstract ? "\0" + unix.Path : unix.Path)
            ?? throw new QmpException($"UNIX socket path '{unix.Path}' is too long");
        if (isAbstract && !(unix.Tight ?? true))
        {
            Array.Resize(ref address, 2 + Libc.MaxUnixPathBytes + 1); // the older form fills the name up with zeroes
        }

        return address;
    }

    private static ListeningSocket Bind(UnixSocketAddress unix)
    {
        var isAbstract = unix.Abstract ?? false;
        var address = AddressOf(unix);
        var fd = Libc.Socket(Libc.AF_UNIX, Libc.SOCK_STREAM);
        if (fd < 0)
        {
            throw new QmpException($"Failed to create Unix socket: {Errno.Describe(fd)}");
        }

        // What a dead daemon left is replaced. The mode goes on before the bind, so that nobody can be faster.
        if (!isAbstract)
        {
            _ = Libc.Fchmod(fd, 0x180); // 0600
            if (Libc.Stat(unix.Path, out var old) == 0 && old.IsSocket)
            {
                _ = Libc.Unlink(unix.Path);
            }
        }

        var result = Libc.Bind(fd, address);
        if (result < 0)
        {
            _ = Libc.Close(fd);
            throw new QmpException($"Failed to bind socket to {unix.Path}: {Errno.Describe(result)}");
        }

        result = Libc.Listen(fd, Backlog);
        if (result < 0)
        {
            _ = Libc.Close(fd);
            throw new QmpException($"Failed to listen on socket: {Errno.Describe(result)}");
        }

        return new ListeningSocket(fd, isAbstract ? null : unix.Path);
    }
}
