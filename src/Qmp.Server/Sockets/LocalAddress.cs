using System.Globalization;
using System.Net;
using System.Text;
using Qmp.Aio;
using Qmp.Protocol.Schema;
using SocketAddress = Qmp.Protocol.Schema.SocketAddress;

namespace Qmp.Server.Sockets;

/// <summary>Where a socket stands that somebody else has made, in the schema's terms. <b>Any</b>.</summary>
internal static class LocalAddress
{
    private const int MaxBytes = 128;
    private const int FamilyBytes = 2;

    /// <summary>The address of a socket; null where it is of another kind than Unix, IPv4 and IPv6.</summary>
    public static SocketAddress? Of(int fd)
    {
        Span<byte> address = stackalloc byte[MaxBytes];
        var length = Libc.GetSocketName(fd, address);
        return length < FamilyBytes ? null : BitConverter.ToUInt16(address) switch
        {
            Libc.AF_UNIX => new SocketAddress { Type = SocketAddressType.Unix, Unix = Unix(address[FamilyBytes..length]) },
            Libc.AF_INET => Inet(fd, address.Slice(4, 4)),
            Libc.AF_INET6 => Inet(fd, address.Slice(8, 16)),
            _ => null,
        };
    }

    private static UnixSocketAddress Unix(ReadOnlySpan<byte> name)
    {
        if (name is [0, .. var rest])
        {
            return new UnixSocketAddress { Path = Encoding.UTF8.GetString(rest), Abstract = true, Tight = true };
        }

        var end = name.IndexOf((byte)0);
        return new UnixSocketAddress { Path = Encoding.UTF8.GetString(end < 0 ? name : name[..end]) };
    }

    private static SocketAddress Inet(int fd, ReadOnlySpan<byte> host) => new()
    {
        Type = SocketAddressType.Inet,
        Inet = new InetSocketAddress
        {
            Host = new IPAddress(host).ToString(),
            Port = InetSockets.LocalPort(fd).ToString(CultureInfo.InvariantCulture),
            Ipv4 = host.Length == 4 ? true : null,
            Ipv6 = host.Length == 16 ? true : null,
        },
    };
}
