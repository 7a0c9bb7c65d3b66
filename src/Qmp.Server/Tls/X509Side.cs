using Org.BouncyCastle.Tls;

namespace Qmp.Server.Tls;

/// <summary>Connections on which certificates tell who is there.</summary>
internal static class X509Side
{
    // What protects old connections when a key leaks, and tells at once when something was changed on the way.
    private static readonly int[] Suites =
    [
        CipherSuite.TLS_AES_256_GCM_SHA384,
        CipherSuite.TLS_CHACHA20_POLY1305_SHA256,
        CipherSuite.TLS_AES_128_GCM_SHA256,
        CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        CipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
        CipherSuite.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
    ];

    /// <summary>A server's side.</summary>
    /// <param name="versions">What is allowed.</param>
    /// <param name="identity">Its own certificate.</param>
    /// <param name="trust">Whom it believes; null when clients need not show a certificate.</param>
    public static TlsSide NewServer(TlsVersions versions, X509Identity identity, X509Trust? trust) =>
        TlsSide.New(side => new Server(side, versions.ToProtocolVersions(), identity, trust));

    /// <summary>A client's side.</summary>
    /// <param name="versions">What is allowed.</param>
    /// <param name="identity">Its own certificate; null for none.</param>
    /// <param name="trust">Whom it believes; null for anybody.</param>
    /// <param name="hostname">Whom it means to reach; null when the address has no name.</param>
    public static TlsSide NewClient(TlsVersions versions, X509Identity? identity, X509Trust? trust, string? hostname) =>
        TlsSide.New(side => new Client(side, versions.ToProtocolVersions(), identity, trust, hostname));

    private sealed class Server(TlsSide side, ProtocolVersion[] versions, X509Identity identity, X509Trust? trust) : DefaultTlsServer(TlsSide.Crypto)
    {
        public override TlsCredentials GetCredentials() => identity.NewSigner(m_context, m_context.SecurityParameters.ClientSigAlgs ?? [])
            ?? throw new TlsFatalAlert(AlertDescription.handshake_failure, "the client takes no signature of this key");

        public override CertificateRequest? GetCertificateRequest()
        {
            if (trust is null)
            {
                return null;
            }

            var signatures = TlsUtilities.GetDefaultSupportedSignatureAlgorithms(m_context);
            var authorities = trust.Authorities.ToList();
            return TlsUtilities.IsTlsV13(m_context)
                ? new CertificateRequest(TlsUtilities.EmptyBytes, signatures, null, authorities)
                : new CertificateRequest([ClientCertificateType.rsa_sign, ClientCertificateType.ecdsa_sign], signatures, authorities);
        }

        public override void NotifyClientCertificate(Certificate clientCertificate) =>
            side.PeerIdentity = (trust ?? throw new TlsFatalAlert(AlertDescription.internal_error)).Verify(clientCertificate, null);

        protected override ProtocolVersion[] GetSupportedVersions() => versions;

        // Without those for which there is no key.
        protected override int[] GetSupportedCipherSuites() =>
        [
            .. Suites.Where(suite => TlsUtilities.GetKeyExchangeAlgorithm(suite) switch
            {
                KeyExchangeAlgorithm.NULL => true,
                KeyExchangeAlgorithm.ECDHE_RSA or KeyExchangeAlgorithm.DHE_RSA => identity.IsRsa,
                KeyExchangeAlgorithm.ECDHE_ECDSA => !identity.IsRsa,
                _ => false,
            }),
        ];
    }

    private sealed class Client(TlsSide side, ProtocolVersion[] versions, X509Identity? identity, X509Trust? trust, string? hostname)
        : DefaultTlsClient(TlsSide.Crypto), TlsAuthentication
    {
        public override TlsAuthentication GetAuthentication() => this;

        public void NotifyServerCertificate(TlsServerCertificate serverCertificate)
        {
            if (trust is not null)
            {
                side.PeerIdentity = trust.Verify(serverCertificate.Certificate, hostname ?? throw new TlsFatalAlert(AlertDescription.internal_error, "No hostname for certificate validation"));
            }
        }

        public TlsCredentials? GetClientCredentials(CertificateRequest certificateRequest) =>
            identity?.NewSigner(m_context, certificateRequest.SupportedSignatureAlgorithms ?? []);

        protected override ProtocolVersion[] GetSupportedVersions() => versions;

        protected override int[] GetSupportedCipherSuites() => Suites;

        protected override IList<ServerName>? GetSniServerNames() => hostname is not null && Uri.CheckHostName(hostname) == UriHostNameType.Dns
            ? [new ServerName(NameType.host_name, System.Text.Encoding.ASCII.GetBytes(hostname))]
            : null;
    }
}
