using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace Qmp.Server.Tls;

/// <summary>
/// One side of one connection: the state machine of the protocol, which is fed with what arrives and yields what is to
/// be sent, without any I/O of its own. It is used by one thread at a time.
/// </summary>
/// <param name="protocol">The state machine.</param>
/// <param name="start">Starts it.</param>
internal sealed class TlsSide(TlsProtocol protocol, Action<TlsSide> start)
{
    /// <summary>What all cryptography uses. Thread-safe.</summary>
    public static BcTlsCrypto Crypto { get; } = new();

    /// <summary>The state machine.</summary>
    public TlsProtocol Protocol => protocol;

    /// <summary>
    /// Who the other side is: the distinguished name of its certificate, or the user whose key it knows; null when it
    /// did not have to say.
    /// </summary>
    public string? PeerIdentity { get; set; }

    /// <summary>Begins the handshake.</summary>
    public void Start() => start(this);

    /// <summary>A server's side.</summary>
    public static TlsSide New(Func<TlsSide, TlsServer> server)
    {
        TlsServerProtocol protocol = new();
        return new TlsSide(protocol, side => protocol.Accept(server(side)));
    }

    /// <summary>A client's side.</summary>
    public static TlsSide New(Func<TlsSide, TlsClient> client)
    {
        TlsClientProtocol protocol = new();
        return new TlsSide(protocol, side => protocol.Connect(client(side)));
    }
}
