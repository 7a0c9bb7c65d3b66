using Org.BouncyCastle.Tls;

namespace Qmp.Server.Tls;

/// <summary>Connections on which nobody shows who he is: anonymous Diffie-Hellman, which only TLS 1.2 has.</summary>
internal static class AnonSide
{
    private static readonly int[] Suites =
    [
        CipherSuite.TLS_DH_anon_WITH_AES_256_GCM_SHA384,
        CipherSuite.TLS_DH_anon_WITH_AES_128_GCM_SHA256,
        CipherSuite.TLS_DH_anon_WITH_AES_256_CBC_SHA256,
        CipherSuite.TLS_DH_anon_WITH_AES_128_CBC_SHA256,
    ];

    public static TlsSide NewServer(TlsVersions versions) => TlsSide.New(_ => new Server(versions.ToProtocolVersions(hasTls13: false)));

    public static TlsSide NewClient(TlsVersions versions) => TlsSide.New(_ => new Client(versions.ToProtocolVersions(hasTls13: false)));

    private sealed class Server(ProtocolVersion[] versions) : AbstractTlsServer(TlsSide.Crypto)
    {
        public override TlsCredentials? GetCredentials() => null;

        protected override ProtocolVersion[] GetSupportedVersions() => versions;

        protected override int[] GetSupportedCipherSuites() => Suites;
    }

    private sealed class Client(ProtocolVersion[] versions) : AbstractTlsClient(TlsSide.Crypto)
    {
        public override TlsAuthentication GetAuthentication() => throw new TlsFatalAlert(AlertDescription.internal_error);

        protected override ProtocolVersion[] GetSupportedVersions() => versions;

        protected override int[] GetSupportedCipherSuites() => Suites;
    }
}
