using System.IO.Pipelines;
using Qmp.Aio;
using Qmp.Protocol.Wire;

namespace Qmp.Server.Chardevs;

/// <summary>
/// One client of a character device: what it sends and what it is sent, as a pair of pipes whose both ends run on the
/// main loop. <b>Main</b>.
/// </summary>
internal abstract class ChardevConnection : IDuplexPipe
{
    private Action? _peerGone;
    private Action? _closed;
    private bool _isClosed;

    /// <summary>What was received.</summary>
    public abstract PipeReader Input { get; }

    /// <summary>What is to be sent. Completing it closes the connection after the last byte.</summary>
    public abstract PipeWriter Output { get; }

    /// <summary>Who is at the other end of a Unix socket; null where the kernel does not say.</summary>
    public PeerCredentials? Peer { get; protected init; }

    /// <summary>Lets descriptors come with the bytes; otherwise they are closed. Called before <see cref="Start"/>, if at all.</summary>
    /// <returns>Where they are; null where none can be passed.</returns>
    public virtual IQmpDescriptorSource? AcceptDescriptors() => null;

    /// <summary>Called once, when the connection has closed: it belongs to the device.</summary>
    public Action? Released { get; set; }

    /// <summary>Begins to receive and to send. Called once, by whoever takes the connection.</summary>
    /// <param name="peerGone">Called when the peer has closed or broken the connection, perhaps before what it sent is consumed.</param>
    /// <param name="closed">Called once, when the connection has closed.</param>
    public void Start(Action peerGone, Action closed)
    {
        _peerGone = peerGone;
        _closed = closed;
        OnStart();
    }

    /// <summary>Whoever took the connection reads from now on: before that, what comes may have to wait.</summary>
    public virtual void BeginReading()
    {
    }

    /// <summary>Closes at once; what was not sent is lost. Idempotent.</summary>
    public abstract void Abort();

    /// <summary>Begins to receive and to send.</summary>
    protected abstract void OnStart();

    protected void TellPeerGone() => _peerGone?.Invoke();

    protected void TellClosed()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            _closed?.Invoke();
            Released?.Invoke();
        }
    }
}
