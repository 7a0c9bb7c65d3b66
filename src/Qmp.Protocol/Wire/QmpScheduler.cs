namespace Qmp.Protocol.Wire;

/// <summary>
/// The one thread at a time on which a connection's messages are taken, dispatched and written: on the server the main
/// loop. It keeps the wire free of locks.
/// </summary>
public abstract class QmpScheduler
{
    /// <summary>Whether the caller is there already. <b>Any</b>.</summary>
    public abstract bool IsCurrent { get; }

    /// <summary>Runs a callback there later, in order, never inside this call. <b>Any</b>.</summary>
    /// <param name="callback">What to run.</param>
    /// <param name="state">Its argument.</param>
    public abstract void Post(Action<object?> callback, object? state);
}
