using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Objects;

namespace Qmp.Server.Chardevs;

/// <summary>How the connections of a socket are encrypted. <b>Main</b>.</summary>
internal sealed class SocketTls
{
    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(10);

    private readonly TlsCredsObject _credentials;
    private readonly QomContainer _objects;
    private readonly string? _authzId;
    private readonly string? _hostname;

    private SocketTls(ChardevSocket options, QomContainer objects)
    {
        var isServer = options.Server ?? true;
        _credentials = TlsCredsObject.Find(objects, options.TlsCreds!, isServer);
        _objects = objects;
        _authzId = options.TlsAuthz;
        _hostname = isServer ? null : options.Addr.Inet?.Data.Host;
    }

    /// <summary>What the options say; null when they do not ask for it.</summary>
    /// <exception cref="QmpException">The credentials cannot be used.</exception>
    public static SocketTls? From(ChardevSocket options, QomContainer objects) => options.TlsCreds is null ? null : new SocketTls(options, objects);

    /// <summary>Encrypts a connection that nobody has started.</summary>
    /// <exception cref="QmpException">It cannot be, and has been closed.</exception>
    public Task<TlsConnection> EncryptAsync(AioContext main, ChardevConnection plain) =>
        TlsConnection.OpenAsync(main, plain, _credentials.NewSide(_hostname), _authzId is null ? null : IsAllowed, HandshakeTime);

    // Looked up each time: the object may come after the device, and may be replaced.
    private bool IsAllowed(string identity) => AuthzObject.Find(_objects, _authzId!).IsAllowed(identity);
}
