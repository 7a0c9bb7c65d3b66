using System.Text;
using Org.BouncyCastle.Tls;
using Qmp.Protocol;

namespace Qmp.Server.Tls;

/// <summary>Connections whose sides know a key. With TLS 1.2 and a fresh key agreement, so that a key that leaks opens nothing old.</summary>
internal static class PskSide
{
    private static readonly int[] Suites =
    [
        CipherSuite.TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384,
        CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256,
        CipherSuite.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite.TLS_DHE_PSK_WITH_AES_256_GCM_SHA384,
        CipherSuite.TLS_DHE_PSK_WITH_AES_128_GCM_SHA256,
        CipherSuite.TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384,
        CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256,
    ];

    /// <summary>A server's side.</summary>
    /// <param name="versions">What is allowed.</param>
    /// <param name="path">The file of keys.</param>
    public static TlsSide NewServer(TlsVersions versions, string path) =>
        TlsSide.New(side => new Server(versions.ToProtocolVersions(hasTls13: false), new Keys(side, path)));

    /// <summary>A client's side.</summary>
    public static TlsSide NewClient(TlsVersions versions, string user, byte[] key) =>
        TlsSide.New(_ => new Client(versions.ToProtocolVersions(hasTls13: false), user, key));

    private sealed class Keys(TlsSide side, string path) : TlsPskIdentityManager
    {
        public byte[]? GetHint() => null;

        public byte[]? GetPsk(byte[] identity)
        {
            try
            {
                var user = Encoding.UTF8.GetString(identity);
                var key = PskFile.KeyOf(path, user);
                side.PeerIdentity = user;
                return key;
            }
            catch (QmpException)
            {
                return null; // which ends the handshake
            }
        }
    }

    private sealed class Server(ProtocolVersion[] versions, Keys keys) : PskTlsServer(TlsSide.Crypto, keys)
    {
        protected override ProtocolVersion[] GetSupportedVersions() => versions;

        protected override int[] GetSupportedCipherSuites() => Suites;
    }

    private sealed class Client(ProtocolVersion[] versions, string user, byte[] key) : PskTlsClient(TlsSide.Crypto, Encoding.UTF8.GetBytes(user), key)
    {
        protected override ProtocolVersion[] GetSupportedVersions() => versions;

        protected override int[] GetSupportedCipherSuites() => Suites;
    }
}
