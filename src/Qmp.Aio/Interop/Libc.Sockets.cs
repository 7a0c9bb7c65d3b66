using System.Runtime.InteropServices;
using System.Text;

namespace Qmp.Aio;

/// <summary>A message header, laid out as <c>struct msghdr</c> of 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct MessageHeader
{
    /// <summary>Peer address, or null.</summary>
    public void* Name;

    /// <summary>Length of the peer address in bytes.</summary>
    public uint NameLength;

    /// <summary>Segments.</summary>
    public Iovec* Segments;

    /// <summary>Number of segments.</summary>
    public nuint SegmentCount;

    /// <summary>Ancillary data.</summary>
    public void* Control;

    /// <summary>Length of the ancillary data in bytes.</summary>
    public nuint ControlLength;

    /// <summary>Flags of the received message, such as <see cref="Libc.MSG_CTRUNC"/>.</summary>
    public int Flags;
}

public static unsafe partial class Libc
{
#pragma warning disable CS1591 // Names of the system's own constants, documented in its manual pages.
    public const int AF_UNIX = 1;
    public const int AF_INET = 2;
    public const int AF_INET6 = 10;
    public const int SOCK_STREAM = 1;
    public const int SOCK_DGRAM = 2;
    public const int SOCK_NONBLOCK = 0x800;
    public const int SOCK_CLOEXEC = 0x80000;
    public const int SOL_SOCKET = 1;
    public const int SO_REUSEADDR = 2;
    public const int SO_TYPE = 3;
    public const int SO_ERROR = 4;
    public const int SO_SNDBUF = 7;
    public const int SO_RCVBUF = 8;
    public const int SO_KEEPALIVE = 9;
    public const int SO_PASSCRED = 16;
    public const int SO_ACCEPTCONN = 30;
    public const int SO_PASSSEC = 34;
    public const int SO_DOMAIN = 39;
    public const int IPPROTO_TCP = 6;
    public const int TCP_NODELAY = 1;
    public const int IPPROTO_IPV6 = 41;
    public const int IPV6_V6ONLY = 26;
    public const int MSG_PEEK = 2;
    public const int MSG_CTRUNC = 8;
    public const int MSG_DONTWAIT = 0x40;
    public const int MSG_NOSIGNAL = 0x4000;
    public const int MSG_CMSG_CLOEXEC = 0x40000000;
    public const int SCM_RIGHTS = 1;
    public const int SHUT_RD = 0;
    public const int SHUT_WR = 1;
    public const int SHUT_RDWR = 2;
#pragma warning restore CS1591

    /// <summary>The longest path of a Unix socket, in bytes, without its terminating zero.</summary>
    public const int MaxUnixPathBytes = 107;

    /// <summary>Most descriptors that the kernel passes with one message (<c>SCM_MAX_FD</c>).</summary>
    public const int MaxPassedDescriptors = 253;

    /// <summary>Makes a socket, close-on-exec.</summary>
    public static int Socket(int domain, int type, int protocol = 0) => Result(socket(domain, type | SOCK_CLOEXEC, protocol));

    /// <summary>Makes two connected sockets, close-on-exec.</summary>
    public static int SocketPair(int domain, int type, out int first, out int second)
    {
        var pair = stackalloc int[2];
        var result = Result(socketpair(domain, type | SOCK_CLOEXEC, 0, pair));
        first = result < 0 ? -1 : pair[0];
        second = result < 0 ? -1 : pair[1];
        return result;
    }

    /// <summary>Binds to an address in the kernel's layout.</summary>
    public static int Bind(int fd, ReadOnlySpan<byte> address)
    {
        fixed (byte* p = address)
        {
            return Result(bind(fd, p, (uint)address.Length));
        }
    }

    /// <summary>Connects to an address in the kernel's layout; <c>-EINPROGRESS</c> on a non-blocking socket.</summary>
    public static int Connect(int fd, ReadOnlySpan<byte> address)
    {
        fixed (byte* p = address)
        {
            return Result(connect(fd, p, (uint)address.Length));
        }
    }

    /// <summary>
    /// The address of a Unix socket in the kernel's layout. A leading zero character makes it abstract.
    /// Null if <paramref name="path"/> is longer than <see cref="MaxUnixPathBytes"/>.
    /// </summary>
    public static byte[]? UnixAddress(string path)
    {
        var length = Encoding.UTF8.GetByteCount(path);
        if (length > MaxUnixPathBytes)
        {
            return null;
        }

        var isAbstract = path.Length > 0 && path[0] == '\0';
        var address = new byte[2 + length + (isAbstract ? 0 : 1)];
        BitConverter.TryWriteBytes(address, (ushort)AF_UNIX);
        Encoding.UTF8.GetBytes(path, address.AsSpan(2));
        return address;
    }

    /// <summary>Starts listening.</summary>
    public static int Listen(int fd, int backlog) => Result(listen(fd, backlog));

    /// <summary>Takes a connection; <paramref name="flags"/> as <see cref="SOCK_NONBLOCK"/>; always close-on-exec.</summary>
    public static int Accept(int fd, int flags = 0) => Result(accept4(fd, null, null, flags | SOCK_CLOEXEC));

    /// <summary>Receives bytes.</summary>
    public static long Receive(int fd, void* buffer, nuint count, int flags) => Result((long)recv(fd, buffer, count, flags));

    /// <summary>Sends bytes. <see cref="MSG_NOSIGNAL"/> is always added.</summary>
    public static long Send(int fd, void* buffer, nuint count, int flags) => Result((long)send(fd, buffer, count, flags | MSG_NOSIGNAL));

    /// <summary>Receives a message with ancillary data.</summary>
    public static long ReceiveMessage(int fd, MessageHeader* message, int flags)
        => Result((long)recvmsg(fd, message, flags | MSG_CMSG_CLOEXEC));

    /// <summary>Sends a message with ancillary data. <see cref="MSG_NOSIGNAL"/> is always added.</summary>
    public static long SendMessage(int fd, MessageHeader* message, int flags)
        => Result((long)sendmsg(fd, message, flags | MSG_NOSIGNAL));

    /// <summary>
    /// Receives into one buffer together with passed descriptors (<c>SCM_RIGHTS</c>), which are close-on-exec.
    /// Descriptors that do not fit in <paramref name="descriptors"/> are closed and <paramref name="truncated"/> is set.
    /// </summary>
    public static long ReceiveWithDescriptors(
        int fd, Span<byte> buffer, Span<int> descriptors, out int descriptorCount, out bool truncated, int flags = 0)
    {
        const int controlSize = 16 + ((MaxPassedDescriptors * sizeof(int)) + 7) / 8 * 8;
        var control = stackalloc byte[controlSize];
        descriptorCount = 0;
        truncated = false;
        MessageHeader message = new() { Control = control, ControlLength = controlSize };
        var result = ReceiveInto(fd, buffer, &message, flags);
        if (result < 0)
        {
            return result;
        }

        truncated = (message.Flags & MSG_CTRUNC) != 0;
        var offset = 0ul;
        while (offset + 16 <= message.ControlLength)
        {
            var length = *(ulong*)(control + offset);
            if (length < 16 || offset + length > message.ControlLength)
            {
                break;
            }

            if (*(int*)(control + offset + 8) == SOL_SOCKET && *(int*)(control + offset + 12) == SCM_RIGHTS)
            {
                var passed = new ReadOnlySpan<int>(control + offset + 16, (int)((length - 16) / sizeof(int)));
                foreach (var descriptor in passed)
                {
                    if (descriptorCount < descriptors.Length)
                    {
                        descriptors[descriptorCount++] = descriptor;
                    }
                    else
                    {
                        truncated = true;
                        Close(descriptor);
                    }
                }
            }

            offset += (length + 7) & ~7ul;
        }

        return result;
    }

    /// <summary>
    /// Looks at what a stream socket has received without taking it. <paramref name="hasDescriptors"/>: some passed
    /// descriptors come with these bytes or, as some kernels look further than asked, with later ones.
    /// </summary>
    public static long PeekForDescriptors(int fd, Span<byte> buffer, out bool hasDescriptors)
    {
        // Room for a header and for no descriptor: none is made, and the flag says that there were some.
        const int controlSize = 16;
        var control = stackalloc byte[controlSize];
        MessageHeader message = new() { Control = control, ControlLength = controlSize };
        var result = ReceiveInto(fd, buffer, &message, MSG_PEEK | MSG_DONTWAIT);
        hasDescriptors = result > 0 && (message.Flags & MSG_CTRUNC) != 0;
        return result;
    }

    // One buffer, and what control data the message has room for.
    private static long ReceiveInto(int fd, Span<byte> buffer, MessageHeader* message, int flags)
    {
        fixed (byte* p = buffer)
        {
            Iovec segment = new(p, (nuint)buffer.Length);
            message->Segments = &segment;
            message->SegmentCount = 1;
            return ReceiveMessage(fd, message, flags);
        }
    }

    /// <summary>Sends one buffer together with descriptors (<c>SCM_RIGHTS</c>); at most <see cref="MaxPassedDescriptors"/>.</summary>
    public static long SendWithDescriptors(int fd, ReadOnlySpan<byte> buffer, ReadOnlySpan<int> descriptors, int flags = 0)
    {
        if (descriptors.Length > MaxPassedDescriptors)
        {
            return -Errno.EINVAL;
        }

        var payload = descriptors.Length * sizeof(int);
        var controlSize = 16 + ((payload + 7) / 8 * 8);
        var control = stackalloc byte[controlSize];
        new Span<byte>(control, controlSize).Clear();
        *(ulong*)control = (ulong)(16 + payload);
        *(int*)(control + 8) = SOL_SOCKET;
        *(int*)(control + 12) = SCM_RIGHTS;
        descriptors.CopyTo(new Span<int>(control + 16, descriptors.Length));
        fixed (byte* p = buffer)
        {
            Iovec segment = new(p, (nuint)buffer.Length);
            MessageHeader message = new() { Segments = &segment, SegmentCount = 1 };
            if (descriptors.Length > 0)
            {
                message.Control = control;
                message.ControlLength = (nuint)controlSize;
            }

            return SendMessage(fd, &message, flags);
        }
    }

    /// <summary>Ends one or both directions of a connection.</summary>
    public static int Shutdown(int fd, int how) => Result(shutdown(fd, how));

    /// <summary>Sets an integer option.</summary>
    public static int SetSocketOption(int fd, int level, int option, int value)
        => Result(setsockopt(fd, level, option, &value, sizeof(int)));

    /// <summary>Gets an integer option; zero or the negative error number.</summary>
    public static int GetSocketOption(int fd, int level, int option, out int value)
    {
        var got = 0;
        var length = (uint)sizeof(int);
        var result = Result(getsockopt(fd, level, option, &got, &length));
        value = got;
        return result;
    }

    /// <summary>The local address in the kernel's layout; its length, or the negative error number.</summary>
    public static int GetSocketName(int fd, Span<byte> address)
    {
        fixed (byte* p = address)
        {
            var length = (uint)address.Length;
            var result = Result(getsockname(fd, p, &length));
            return result < 0 ? result : (int)length;
        }
    }

    /// <summary>The peer's address in the kernel's layout; its length, or the negative error number.</summary>
    public static int GetPeerName(int fd, Span<byte> address)
    {
        fixed (byte* p = address)
        {
            var length = (uint)address.Length;
            var result = Result(getpeername(fd, p, &length));
            return result < 0 ? result : (int)length;
        }
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int socketpair(int domain, int type, int protocol, int* pair);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int bind(int fd, byte* address, uint length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int connect(int fd, byte* address, uint length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int listen(int fd, int backlog);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int accept4(int fd, byte* address, uint* length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint recv(int fd, void* buffer, nuint count, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint send(int fd, void* buffer, nuint count, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint recvmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint sendmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int shutdown(int fd, int how);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int setsockopt(int fd, int level, int option, void* value, uint length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int getsockopt(int fd, int level, int option, void* value, uint* length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int getsockname(int fd, byte* address, uint* length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int getpeername(int fd, byte* address, uint* length);
}
