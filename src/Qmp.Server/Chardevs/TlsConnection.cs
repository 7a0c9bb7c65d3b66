using System.IO.Pipelines;
using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Server.Tls;

namespace Qmp.Server.Chardevs;

/// <summary>A connection that is encrypted. There is none before the handshake is over. <b>Main</b>.</summary>
internal sealed class TlsConnection : ChardevConnection
{
    private readonly AioContext _main;
    private readonly ChardevConnection _inner;
    private readonly TlsChannel _channel;
    private readonly State _state;

    private TlsConnection(AioContext main, ChardevConnection inner, TlsChannel channel, State state)
    {
        _main = main;
        _inner = inner;
        _channel = channel;
        _state = state;
        Peer = inner.Peer;
    }

    /// <inheritdoc/>
    public override PipeReader Input => _channel.Input;

    /// <inheritdoc/>
    public override PipeWriter Output => _channel.Output;

    /// <summary>Shakes hands on a connection that nobody has started. When that fails, it has been closed.</summary>
    /// <param name="main">The main loop.</param>
    /// <param name="inner">The connection.</param>
    /// <param name="side">This side.</param>
    /// <param name="isAllowed">Whether an identity is let in; null for everybody.</param>
    /// <param name="limit">How long it may take.</param>
    /// <exception cref="QmpException">It failed.</exception>
    public static async Task<TlsConnection> OpenAsync(
        AioContext main, ChardevConnection inner, TlsSide side, Func<string, bool>? isAllowed, TimeSpan limit)
    {
        State state = new();
        inner.Start(state.OnPeerGone, state.OnClosed);
        try
        {
            return new TlsConnection(main, inner, await TlsChannel.OpenAsync(main, inner, side, isAllowed, limit), state);
        }
        catch (QmpException)
        {
            // Why it failed leaves at the end of this turn, if the other side takes it at all.
            await main.Yield();
            inner.Abort();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Abort() => _inner.Abort();

    /// <inheritdoc/>
    protected override void OnStart() =>
        // In a turn of its own: whoever starts a connection is not ready for its end.
        _main.Schedule(() => _state.Tell(TellPeerGone, TellClosed));

    /// <summary>What happened below before anybody could be told.</summary>
    private sealed class State
    {
        private Action? _peerGone;
        private Action? _closed;
        private bool _isPeerGone;
        private bool _isClosed;

        public void OnPeerGone()
        {
            _isPeerGone = true;
            _peerGone?.Invoke();
        }

        public void OnClosed()
        {
            _isClosed = true;
            _closed?.Invoke();
        }

        public void Tell(Action peerGone, Action closed)
        {
            (_peerGone, _closed) = (peerGone, closed);
            if (_isPeerGone)
            {
                peerGone();
            }

            if (_isClosed)
            {
                closed();
            }
        }
    }
}
