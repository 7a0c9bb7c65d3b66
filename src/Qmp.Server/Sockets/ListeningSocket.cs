using System.Globalization;
using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Sockets;

/// <summary>A listening Unix socket: made at a path, or passed in as a descriptor. <b>Main</b>.</summary>
internal sealed class ListeningSocket : IDisposable
{
    private const int Backlog = 128;

    // The name is removed at the end only if it still leads to this socket.
    private readonly string? _path;
    private readonly (ulong Inode, ulong Device) _identity;
    private bool _isDisposed;

    private ListeningSocket(int fd, string? path)
    {
        Fd = fd;
        _path = path;
        if (path is not null && Libc.Stat(path, out var status) == 0)
        {
            _identity = (status.Inode, status.Device);
        }
    }

    /// <summary>The descriptor. Whoever takes it over closes it.</summary>
    public int Fd { get; }

    /// <summary>Makes a socket.</summary>
    /// <param name="address">Of type <c>unix</c> or <c>fd</c>.</param>
    /// <exception cref="QmpException">It cannot be made.</exception>
    public static ListeningSocket Create(SocketAddress address) => address switch
    {
        { Unix: { } unix } => Bind(unix),
        { Fd: { } fd } => Adopt(fd.Str),
        _ => throw new QmpException("Only socket address types 'unix' and 'fd' are supported"),
    };

    /// <summary>Removes the name. The descriptor is closed by its owner.</summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            if (_path is not null && Libc.Stat(_path, out var status) == 0 && (status.Inode, status.Device) == _identity)
            {
                _ = Libc.Unlink(_path);
            }
        }
    }

    /// <summary>Takes a descriptor that was passed in and names a socket.</summary>
    /// <exception cref="QmpException">It is not a number or not a socket.</exception>
    public static int ParseDescriptor(string text)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var fd))
        {
            throw new QmpException($"Unable to parse FD number {text}");
        }

        if (Libc.Fstat(fd, out var status) < 0 || !status.IsSocket)
        {
            throw new QmpException($"File descriptor '{text}' is not a socket");
        }

        _ = Libc.Fcntl(fd, Libc.F_SETFD, Libc.FD_CLOEXEC);
        return fd;
    }

    private static ListeningSocket Adopt(string text)
    {
        var fd = ParseDescriptor(text);
        return Libc.Listen(fd, Backlog) is var result && result < 0
            ? throw new QmpException($"Unable to listen on socket: {Errno.Describe(result)}")
            : new ListeningSocket(fd, null);
    }

    private static ListeningSocket Bind(UnixSocketAddress unix)
    {
        var isAbstract = unix.Abstract ?? false;
        var address = Libc.UnixAddress(isAbstract ? "\0" + unix.Path : unix.Path)
            ?? throw new QmpException($"UNIX socket path '{unix.Path}' is too long");
        if (isAbstract && !(unix.Tight ?? true))
        {
            Array.Resize(ref address, 2 + Libc.MaxUnixPathBytes + 1); // the older form fills the name up with zeroes
        }

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

        return new ListeningSocket(fd, isAbstract ? null : Path.GetFullPath(unix.Path));
    }
}
