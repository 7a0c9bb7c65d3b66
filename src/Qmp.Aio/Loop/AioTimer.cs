namespace Qmp.Aio;

/// <summary>
/// A one-shot timer of a loop, made by <see cref="AioContext.NewTimer"/>. Arming and cancelling allocate nothing.
/// All members: <b>Loop</b>.
/// </summary>
public sealed class AioTimer : IDisposable
{
    private readonly AioContext _context;

    internal AioTimer(AioContext context, Action callback)
    {
        _context = context;
        Callback = callback;
    }

    /// <summary>When it fires, in nanoseconds of <see cref="AioContext.NowNs"/>. Meaningful while armed.</summary>
    public long DeadlineNs { get; internal set; }

    /// <summary>Whether it will fire.</summary>
    public bool IsArmed => HeapIndex >= 0;

    internal Action Callback { get; }

    internal int HeapIndex { get; set; } = -1;

    internal long Sequence { get; set; }

    /// <summary>
    /// Fires once at <paramref name="deadlineNs"/> (of <see cref="AioContext.NowNs"/>) or as soon after it as the loop
    /// turns; replaces an earlier deadline. A deadline in the past fires on the next turn, never inside this call.
    /// </summary>
    public void Arm(long deadlineNs)
    {
        _context.AssertCurrent();
        _context.Timers.Arm(this, deadlineNs);
    }

    /// <summary>Does not fire any more.</summary>
    public void Cancel()
    {
        _context.AssertCurrent();
        _context.Timers.Remove(this);
    }

    /// <summary>Cancels it.</summary>
    public void Dispose() => Cancel();
}
