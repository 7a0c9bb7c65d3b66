using Qmp.Protocol;
using Qmp.Server.Objects;

namespace Qmp.Server.Chardevs;

/// <summary>
/// A character device: it hands each of its connections to the one who uses it, its front end. It stands below
/// <c>/chardevs</c>. <b>Main</b>.
/// </summary>
/// <param name="kind">Its kind, as the schema names it.</param>
/// <param name="log">The file that gets a copy of what is sent; null for none. It becomes the device's own.</param>
internal abstract class Chardev(string kind, ChardevLog? log) : QomObject("chardev-" + kind), IChardevPort
{
    private Action<ChardevConnection>? _frontEnd;
    private bool _isClaimed;

    /// <summary>Its kind and where it leads, in QEMU's words.</summary>
    public abstract string Description { get; }

    /// <summary>Whether a front end takes connections.</summary>
    public virtual bool IsFrontEndOpen => _frontEnd is not null;

    /// <summary>Whether somebody uses it: it cannot be removed meanwhile.</summary>
    public virtual bool IsClaimed => _isClaimed;

    /// <summary>Connections at once that the front end takes.</summary>
    protected int MaxConnections { get; private set; } = 1;

    /// <summary>Makes the caller a user, its only one unless the device has several ports.</summary>
    /// <returns>Where the user attaches.</returns>
    /// <exception cref="QmpException">It has a user.</exception>
    public virtual IChardevPort Claim()
    {
        if (_isClaimed)
        {
            throw new QmpException($"chardev '{Name}' is already in use");
        }

        _isClaimed = true;
        return this;
    }

    /// <inheritdoc/>
    public void Unclaim()
    {
        Detach();
        _isClaimed = false;
    }

    /// <inheritdoc/>
    public void Attach(Action<ChardevConnection> frontEnd, int maxConnections)
    {
        _frontEnd = frontEnd;
        MaxConnections = maxConnections;
        OnAttached();
    }

    /// <inheritdoc/>
    public void Detach()
    {
        if (_frontEnd is not null)
        {
            _frontEnd = null;
            OnDetached();
        }
    }

    /// <summary>Sends a break, where the device knows what that is.</summary>
    public virtual void SendBreak()
    {
    }

    /// <summary>Completes when the device may be used: with <c>wait=on</c>, when its first client has come.</summary>
    public virtual ValueTask WaitAsync() => ValueTask.CompletedTask;

    /// <summary>The connection, of which the log gets a copy if there is one.</summary>
    public ChardevConnection Logged(ChardevConnection connection) => log is null ? connection : new LoggedConnection(connection, log);

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        Detach();
        log?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A front end has come: it wants the connections that there are.</summary>
    protected abstract void OnAttached();

    /// <summary>The front end has gone.</summary>
    protected virtual void OnDetached()
    {
    }

    /// <summary>Hands a connection to the front end.</summary>
    protected void Deliver(ChardevConnection connection) => _frontEnd!(Logged(connection));
}
