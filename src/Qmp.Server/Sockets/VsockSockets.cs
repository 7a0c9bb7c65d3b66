using System.Buffers.Binary;
using System.Globalization;
using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Sockets;

/// <summary>Sockets between virtual machines and their host (vsock(7)) by the schema's addresses, with QEMU's errors.</summary>
internal static class VsockSockets
{
    private const int AddressFamily = 40; // AF_VSOCK
    private const int AddressBytes = 16;
    private const int Backlog = 128;

    /// <summary>Makes a listening socket.</summary>
    /// <exception cref="QmpException">It cannot be made.</exception>
    public static int Listen(VsockSocketAddress address) => Open(address, Bind, "bind socket");

    /// <summary>Connects. Blocks.</summary>
    /// <exception cref="QmpException">Nobody answers.</exception>
    public static int Connect(VsockSocketAddress address) =>
        Open(address, static (fd, where) => Libc.Connect(fd, where), $"connect to '{address.Cid}:{address.Port}'");

    private static int Bind(int fd, byte[] where) => Libc.Bind(fd, where) is var result && result < 0 ? result : Libc.Listen(fd, Backlog);

    private static int Open(VsockSocketAddress address, Func<int, byte[], int> use, string what)
    {
        // The kernel's layout: family, reserved, port, cid, each in the machine's own order.
        var where = new byte[AddressBytes];
        BinaryPrimitives.WriteUInt16LittleEndian(where, AddressFamily);
        BinaryPrimitives.WriteUInt32LittleEndian(where.AsSpan(4), Parse("port", address.Port));
        BinaryPrimitives.WriteUInt32LittleEndian(where.AsSpan(8), Parse("cid", address.Cid));
        var fd = Libc.Socket(AddressFamily, Libc.SOCK_STREAM);
        if (fd < 0)
        {
            throw new QmpException($"Failed to create socket family {AddressFamily}: {Errno.Describe(fd)}");
        }

        var result = use(fd, where);
        if (result >= 0)
        {
            return fd;
        }

        _ = Libc.Close(fd);
        throw new QmpException($"Failed to {what}: {Errno.Describe(result)}");
    }

    private static uint Parse(string what, string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new QmpException($"Failed to parse {what} '{text}'");
}
