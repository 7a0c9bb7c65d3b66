using Qmp.Aio;
using Qmp.Server.Tls;

namespace Qmp.Server.Objects;

/// <summary>The object type <c>tls-creds-x509</c>: certificates. <b>Main</b>.</summary>
internal sealed class TlsCredsX509Object() : TlsCredsObject("tls-creds-x509")
{
    private bool _isChecked = true;
    private string? _passwordId;
    private X509Trust _trust = X509Trust.None;
    private X509Identity? _identity;

    /// <summary>What this type adds, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> OwnProperties { get; } =
    [
        QomProperty.Boolean<TlsCredsX509Object>("sanity-check", o => o._isChecked, (o, v) => o._isChecked = v),
        QomProperty.Text<TlsCredsX509Object>("passwordid", o => o._passwordId, (o, v) => o._passwordId = v),
    ];

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(QomContainer objects)
    {
        // Only the main loop looks at the tree.
        var password = _passwordId is { } id ? SecretObject.Find(objects, id).Value : null;
        return new(AioContext.Current!.RunOnWorkerAsync(() =>
        {
            Load(password);
            return true;
        }).AsTask());
    }

    protected override TlsSide NewSide(TlsVersions versions, string? hostname) => IsServer
        ? X509Side.NewServer(versions, _identity!, VerifiesPeer ? _trust : null)
        : X509Side.NewClient(versions, _identity, VerifiesPeer ? _trust : null, hostname);

    // The order of the checks is the reference's.
    private void Load(byte[]? password)
    {
        var authorities = Required("ca-cert.pem");
        var revocations = IsServer ? Optional("ca-crl.pem") : null;
        var side = IsServer ? "server" : "client";
        var (certificate, key) = IsServer
            ? (Required("server-cert.pem"), Required("server-key.pem"))
            : (Optional("client-cert.pem"), Optional("client-key.pem"));
        if (_isChecked)
        {
            X509Checks.Check(authorities, certificate, side);
        }

        _trust = X509Trust.Load(authorities, revocations);
        if (certificate is not null && key is not null)
        {
            _identity = X509Identity.Load(certificate, key, password);
        }
    }
}
