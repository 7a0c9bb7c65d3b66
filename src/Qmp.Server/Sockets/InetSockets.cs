using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Sockets;

/// <summary>TCP sockets by the schema's addresses, with QEMU's errors. Names are looked up where the caller stands.</summary>
internal static class InetSockets
{
    private const int Backlog = 128;

    /// <summary>Makes a listening socket at the first address and port that is free.</summary>
    /// <param name="address">Host (empty: any), port and the last port to try.</param>
    /// <returns>The descriptor.</returns>
    /// <exception cref="QmpException">There is none.</exception>
    public static int Listen(InetSocketAddress address)
    {
        var first = Port(address);
        var last = Math.Max(first, (int)(address.To ?? 0));
        var result = -Errno.EADDRNOTAVAIL;
        var isBusy = false;
        foreach (var host in Resolve(address, isPassive: true))
        {
            for (var port = first; port <= last; port++)
            {
                var fd = Libc.Socket(host.AddressFamily == AddressFamily.InterNetworkV6 ? Libc.AF_INET6 : Libc.AF_INET, Libc.SOCK_STREAM);
                if (fd < 0)
                {
                    result = fd;
                    break;
                }

                _ = Libc.SetSocketOption(fd, Libc.SOL_SOCKET, Libc.SO_REUSEADDR, 1);
                if (host.AddressFamily == AddressFamily.InterNetworkV6)
                {
                    _ = Libc.SetSocketOption(fd, Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, address.Ipv4 == true || host.Equals(IPAddress.IPv6Any) ? 1 : 0);
                }

                result = Libc.Bind(fd, SocketAddressOf(host, port));
                result = result < 0 ? result : Libc.Listen(fd, Backlog);
                if (result >= 0)
                {
                    return fd;
                }

                _ = Libc.Close(fd);
                isBusy = result == -Errno.EADDRINUSE;
                if (!isBusy)
                {
                    break;
                }
            }
        }

        throw new QmpException(isBusy
            ? $"Failed to find an available port: {Errno.Describe(result)}"
            : $"Failed to bind socket: {Errno.Describe(result)}");
    }

    /// <summary>Connects to the first address that answers.</summary>
    /// <param name="address">Where to.</param>
    /// <returns>The descriptor.</returns>
    /// <exception cref="QmpException">Nobody answers.</exception>
    public static int Connect(InetSocketAddress address)
    {
        var result = -Errno.ECONNREFUSED;
        foreach (var host in Resolve(address, isPassive: false))
        {
            var fd = Libc.Socket(host.AddressFamily == AddressFamily.InterNetworkV6 ? Libc.AF_INET6 : Libc.AF_INET, Libc.SOCK_STREAM);
            result = fd < 0 ? fd : Libc.Connect(fd, SocketAddressOf(host, Port(address)));
            if (result >= 0)
            {
                return fd;
            }

            if (fd >= 0)
            {
                _ = Libc.Close(fd);
            }
        }

        throw new QmpException($"Failed to connect to '{address.Host}:{address.Port}': {Errno.Describe(result)}");
    }

    /// <summary>The port on which a listening socket came to stand.</summary>
    public static int LocalPort(int fd)
    {
        Span<byte> address = stackalloc byte[28];
        return Libc.GetSocketName(fd, address) < 4 ? 0 : (address[2] << 8) | address[3];
    }

    /// <summary>Who is at the other end, as host and port; null when nobody is.</summary>
    public static string? PeerOf(int fd)
    {
        Span<byte> address = stackalloc byte[28];
        var length = Libc.GetPeerName(fd, address);
        if (length < 16)
        {
            return null;
        }

        var isV6 = BitConverter.ToUInt16(address) == Libc.AF_INET6;
        var host = new IPAddress(isV6 ? address.Slice(8, 16) : address.Slice(4, 4));
        return string.Create(CultureInfo.InvariantCulture, $"{(isV6 ? $"[{host}]" : host)}:{(address[2] << 8) | address[3]}");
    }

    private static int Port(InetSocketAddress address) =>
        address.Port.Length == 0 ? 0
        : ulong.TryParse(address.Port, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? (ushort)port
        : throw Unresolved(address, "Servname not supported for ai_socktype");

    private static List<IPAddress> Resolve(InetSocketAddress address, bool isPassive)
    {
        var wants4 = address.Ipv4 ?? address.Ipv6 != true;
        var wants6 = address.Ipv6 ?? address.Ipv4 != true;
        IPAddress[] found;
        if (address.Host.Length == 0)
        {
            found = isPassive ? [IPAddress.Any, IPAddress.IPv6Any] : [IPAddress.Loopback, IPAddress.IPv6Loopback];
        }
        else if (IPAddress.TryParse(address.Host, out var literal))
        {
            found = [literal];
        }
        else if (address.Numeric == true)
        {
            throw Unresolved(address, "Name or service not known");
        }
        else
        {
            try
            {
                found = Dns.GetHostAddresses(address.Host);
            }
            catch (SocketException e)
            {
                throw Unresolved(
                    address, e.SocketErrorCode == SocketError.TryAgain ? "Temporary failure in name resolution" : "Name or service not known");
            }
        }

        var usable = found.Where(a => a.AddressFamily == AddressFamily.InterNetworkV6 ? wants6 : wants4)
            .OrderBy(a => a.AddressFamily == AddressFamily.InterNetworkV6).ToList();
        return usable.Count > 0 ? usable : throw Unresolved(address, "Address family for hostname not supported");
    }

    private static QmpException Unresolved(InetSocketAddress address, string why) =>
        new($"address resolution failed for {address.Host}:{address.Port}: {why}");

    // The kernel's layout: family, port in network order, then the address.
    private static byte[] SocketAddressOf(IPAddress host, int port)
    {
        var isV6 = host.AddressFamily == AddressFamily.InterNetworkV6;
        var address = new byte[isV6 ? 28 : 16];
        BitConverter.TryWriteBytes(address, (ushort)(isV6 ? Libc.AF_INET6 : Libc.AF_INET));
        address[2] = (byte)(port >> 8);
        address[3] = (byte)port;
        host.TryWriteBytes(address.AsSpan(isV6 ? 8 : 4), out _);
        if (isV6)
        {
            BitConverter.TryWriteBytes(address.AsSpan(24), (uint)host.ScopeId);
        }

        return address;
    }
}
