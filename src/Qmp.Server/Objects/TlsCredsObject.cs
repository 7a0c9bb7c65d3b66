using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Tls;

namespace Qmp.Server.Objects;

/// <summary>Credentials for TLS. <b>Main</b>.</summary>
internal abstract class TlsCredsObject(string typeName) : QomObject(typeName)
{
    private QCryptoTLSCredsEndpoint _endpoint = QCryptoTLSCredsEndpoint.Client;
    private string? _priority;

    /// <summary>What all credentials have, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> CommonProperties { get; } =
    [
        QomProperty.Of<TlsCredsObject, QCryptoTLSCredsEndpoint>(
            "endpoint", "QCryptoTLSCredsEndpoint", QCryptoTLSCredsEndpointNames.Read, (writer, v) => writer.Value(v.ToWireName()), o => o._endpoint, (o, v) => o._endpoint = v),
        QomProperty.Text<TlsCredsObject>("dir", o => o.Folder, (o, v) => o.Folder = v),
        QomProperty.Boolean<TlsCredsObject>("verify-peer", o => o.VerifiesPeer, (o, v) => o.VerifiesPeer = v),
        QomProperty.Text<TlsCredsObject>("priority", o => o._priority, (o, v) => o._priority = v),
    ];

    /// <summary>Whether they are for the side that listens.</summary>
    public bool IsServer => _endpoint == QCryptoTLSCredsEndpoint.Server;

    /// <summary>Whether the other side must show a certificate that is trusted.</summary>
    protected bool VerifiesPeer { get; private set; } = true;

    /// <summary>Where the files are, as given; null when nothing was.</summary>
    protected string? Folder { get; private set; }

    /// <summary>Finds credentials for one side.</summary>
    /// <exception cref="QmpException">There are none of that name for that side.</exception>
    public static TlsCredsObject Find(QomContainer objects, string id, bool isServer) => objects.Child(id) switch
    {
        TlsCredsObject credentials when credentials.IsServer == isServer => credentials,
        TlsCredsObject => throw new QmpException($"Expected TLS credentials for a {(isServer ? "server" : "client")} endpoint"),
        null => throw new QmpException($"No TLS credentials with id '{id}'"),
        _ => throw new QmpException($"Object with id '{id}' is not TLS credentials"),
    };

    /// <summary>One side of a new connection. What is set afterwards does not change it.</summary>
    /// <param name="hostname">Whom a client means to reach; null when its address has no name.</param>
    /// <exception cref="QmpException">A property that was set since the object was made is not usable.</exception>
    public TlsSide NewSide(string? hostname) => NewSide(TlsVersions.Parse(_priority), hostname);

    /// <inheritdoc cref="NewSide(string?)"/>
    protected abstract TlsSide NewSide(TlsVersions versions, string? hostname);

    /// <summary>The path of one of the files, which may not be missing. Blocks.</summary>
    /// <exception cref="QmpException">It is, or there is no folder.</exception>
    protected string Required(string name)
    {
        var path = PathOf(name);
        return Libc.Stat(path, out _) is var result && result < 0
            ? throw new QmpException($"Unable to access credentials {path}: {Errno.Describe(result)}")
            : path;
    }

    /// <summary>The path of one of the files; null when there is no such file. Blocks.</summary>
    /// <inheritdoc cref="Required"/>
    protected string? Optional(string name)
    {
        var path = PathOf(name);
        var result = Libc.Stat(path, out _);
        return result == -Errno.ENOENT ? null
            : result < 0 ? throw new QmpException($"Unable to access credentials {path}: {Errno.Describe(result)}")
            : path;
    }

    private string PathOf(string name) => Folder is { } folder ? $"{folder}/{name}" : throw new QmpException("Missing 'dir' property value");
}
