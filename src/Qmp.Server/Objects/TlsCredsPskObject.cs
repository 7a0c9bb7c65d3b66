using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Server.Tls;

namespace Qmp.Server.Objects;

/// <summary>The object type <c>tls-creds-psk</c>: both sides know a key. <b>Main</b>.</summary>
internal sealed class TlsCredsPskObject() : TlsCredsObject("tls-creds-psk")
{
    private const string FileName = "keys.psk";
    private const string DefaultUser = "qemu";

    private string? _username;
    private string _path = string.Empty;
    private byte[] _key = [];

    /// <summary>What this type adds, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> OwnProperties { get; } =
        [QomProperty.Text<TlsCredsPskObject>("username", o => o._username, (o, v) => o._username = v)];

    private string User => _username ?? DefaultUser;

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(QomContainer objects) => new(AioContext.Current!.RunOnWorkerAsync(() =>
    {
        if (IsServer && _username is not null)
        {
            throw new QmpException("username should not be set when endpoint=server");
        }

        _path = Required(FileName);
        if (!IsServer)
        {
            _key = PskFile.KeyOf(_path, User);
        }

        return true;
    }).AsTask());

    // A server reads the file for every connection, so users can come and go.
    protected override TlsSide NewSide(TlsVersions versions, string? hostname) => IsServer ? PskSide.NewServer(versions, _path) : PskSide.NewClient(versions, User, _key);
}
