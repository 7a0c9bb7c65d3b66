using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Sockets;

/// <summary>Connects to the schema's addresses, with QEMU's errors. Blocks: for workers.</summary>
internal static class ConnectedSocket
{
    /// <summary>Connects.</summary>
    /// <param name="address">Where to; not of type <c>fd</c>, which is connected.</param>
    /// <returns>The descriptor.</returns>
    /// <exception cref="QmpException">Nobody answers, or the address is wrong.</exception>
    public static int Connect(SocketAddress address) => address switch
    {
        { Inet: { } inet } => InetSockets.Connect(inet),
        { Vsock: { } vsock } => VsockSockets.Connect(vsock),
        _ => ConnectUnix(address.Unix!),
    };

    private static int ConnectUnix(UnixSocketAddress unix)
    {
        var address = ListeningSocket.AddressOf(unix);
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
