namespace Qmp.Server.Chardevs;

/// <summary>One user's side of a <see cref="MuxChardev"/>. <b>Main</b>.</summary>
/// <param name="mux">The device.</param>
internal sealed class MuxPort(MuxChardev mux) : IChardevPort
{
    private Action<ChardevConnection>? _frontEnd;

    /// <summary>Whether its user takes connections.</summary>
    public bool IsAttached => _frontEnd is not null;

    /// <summary>Its connection; null while the shared device has none.</summary>
    public LocalConnection? Connection { get; private set; }

    /// <inheritdoc/>
    public void Attach(Action<ChardevConnection> frontEnd, int maxConnections)
    {
        _frontEnd = frontEnd;
        mux.PortAttached(this);
    }

    /// <inheritdoc/>
    public void Detach() => _frontEnd = null;

    /// <inheritdoc/>
    public void Unclaim()
    {
        Detach();
        Connection?.Abort();
        mux.PortGone(this);
    }

    /// <summary>The shared device has a connection: so has its user.</summary>
    public void Open()
    {
        if (_frontEnd is { } frontEnd && Connection is null)
        {
            Connection = new LocalConnection(mux.WriteAsync) { Released = () => Connection = null };
            frontEnd(mux.Logged(Connection));
        }
    }
}
