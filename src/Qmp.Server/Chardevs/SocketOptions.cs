using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Chardevs;

/// <summary>What the options of a socket must obey. <b>Any</b>.</summary>
internal static class SocketOptions
{
    /// <summary>Checks them.</summary>
    /// <returns>The address, in the form that the rest of the daemon uses.</returns>
    /// <exception cref="QmpException">They do not fit together.</exception>
    public static SocketAddress Check(ChardevSocket options)
    {
        var isServer = options.Server ?? true;
        if (options.Addr.Type == SocketAddressType.Fd && (options.ReconnectMs ?? 0) != 0)
        {
            throw new QmpException("'reconnect' option is incompatible with 'fd' address type");
        }

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

        if (options.TlsCreds is not null && options.Addr.Type is SocketAddressType.Unix or SocketAddressType.Vsock)
        {
            throw new QmpException($"'tls_creds' option is incompatible with '{options.Addr.Type.ToWireName()}' address type");
        }

        if (options.TlsCreds is not null && !isServer && options.Addr.Type == SocketAddressType.Fd)
        {
            throw new QmpException("'tls_creds' option is incompatible with 'fd' address type as client");
        }

        if (options.Telnet == true || options.Tn3270 == true || options.Websocket == true)
        {
            throw new QmpException("Only plain sockets are supported");
        }

        return options.Addr switch
        {
            { Unix.Data: { } unix } => new SocketAddress { Type = SocketAddressType.Unix, Unix = unix },
            { Inet.Data: { } inet } => new SocketAddress { Type = SocketAddressType.Inet, Inet = inet },
            { Vsock.Data: { } vsock } => new SocketAddress { Type = SocketAddressType.Vsock, Vsock = vsock },
            _ => new SocketAddress { Type = SocketAddressType.Fd, Fd = options.Addr.Fd!.Data },
        };
    }
}
