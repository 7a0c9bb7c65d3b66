using Qmp.Aio;

namespace Qmp.Server.Chardevs;

/// <summary>
/// A character device over descriptors that are open from its beginning to its end: <c>file</c>, <c>pipe</c>,
/// <c>stdio</c>. There is one connection at a time. <b>Main</b>.
/// </summary>
/// <param name="kind">Its kind.</param>
/// <param name="main">The main loop.</param>
/// <param name="input">Where it reads; -1 for nowhere.</param>
/// <param name="output">Where it writes.</param>
/// <param name="endsWithInput">Whether the peer is gone when the input ends.</param>
/// <param name="close">Puts the descriptors away, once nothing uses them.</param>
/// <param name="log">The file that gets a copy of what is sent.</param>
internal class StreamChardev(string kind, AioContext main, int input, int output, bool endsWithInput, Action close, ChardevLog? log)
    : Chardev(kind, log)
{
    private readonly string _kind = kind;
    private ChardevConnection? _connection;
    private bool _wasDetached;
    private bool _isDisposed;

    /// <inheritdoc/>
    public override string Description => _kind;

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (!_isDisposed)
        {
            _isDisposed = true;
            if (_connection is null)
            {
                close();
            }
            else
            {
                _connection.Abort();
            }
        }
    }

    /// <inheritdoc/>
    protected override void OnAttached()
    {
        if (_connection is null)
        {
            _wasDetached = false;
            _connection = new StreamConnection(main, input, output, endsWithInput) { Released = Released };
            Deliver(_connection);
        }
    }

    /// <inheritdoc/>
    protected override void OnDetached() => _wasDetached = true;

    /// <summary>The connection is over, and a front end wants the next.</summary>
    protected virtual void OnReleased()
    {
        if (_wasDetached)
        {
            OnAttached(); // it came while the other was leaving
        }
    }

    private void Released()
    {
        _connection = null;
        if (_isDisposed)
        {
            close();
        }
        else if (IsFrontEndOpen)
        {
            OnReleased();
        }
    }
}
