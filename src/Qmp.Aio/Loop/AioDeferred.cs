namespace Qmp.Aio;

/// <summary>
/// Work to do once at the end of the current batch of handlers, just before the loop submits and sleeps: used to signal
/// a guest once per batch. Reusable and intrusive: deferring allocates nothing.
/// </summary>
public abstract class AioDeferred
{
    internal AioDeferred? Next { get; set; }

    internal bool IsQueued { get; set; }

    /// <summary><b>Loop</b>. The batch is over. May defer again (which then runs before the loop sleeps, too).</summary>
    protected internal abstract void OnEndOfTurn();
}
