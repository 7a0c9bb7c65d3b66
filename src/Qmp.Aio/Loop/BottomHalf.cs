namespace Qmp.Aio;

/// <summary>
/// A callback that a loop runs on its next turn. Reusable: scheduling it while it is already scheduled does nothing,
/// scheduling it from inside its own callback runs it again on the next turn. Made by <see cref="AioContext.NewBottomHalf"/>.
/// </summary>
public sealed class BottomHalf : BottomHalfNode, IDisposable
{
    // Linked: this node hangs on the loop's list, so only its taker may link it again.
    // Scheduled: run when taken. Idle: run when the loop has nothing better to do. Deleted: never run again.
    private const int Linked = 1;
    private const int Scheduled = 2;
    private const int Idle = 4;
    private const int Deleted = 8;

    private readonly AioContext _context;
    private readonly Action _callback;
    private int _flags;
    private bool _inIdleList;

    internal BottomHalf(AioContext context, Action callback)
    {
        _context = context;
        _callback = callback;
    }

    /// <summary>Runs the callback on the loop's next turn. <b>Any</b>.</summary>
    public void Schedule() => Enqueue(Scheduled);

    /// <summary>
    /// Runs the callback when a turn of the loop found nothing else to do, and at the latest 10 ms from now. <b>Any</b>.
    /// </summary>
    public void ScheduleIdle() => Enqueue(Idle);

    /// <summary>
    /// Takes back what was scheduled. On the loop this is certain; from another thread the callback may be running
    /// or about to run. <b>Any</b>.
    /// </summary>
    public void Cancel() => Interlocked.And(ref _flags, ~(Scheduled | Idle));

    /// <summary>Cancels for good. <b>Any</b>.</summary>
    public void Dispose() => Interlocked.Or(ref _flags, Deleted);

    internal override void RunTaken(AioContext context)
    {
        // Whoever schedules after this line links the node again, for the next turn.
        var flags = Interlocked.And(ref _flags, ~(Linked | Scheduled));
        if ((flags & Deleted) != 0)
        {
            return;
        }

        if ((flags & Scheduled) != 0)
        {
            Interlocked.And(ref _flags, ~Idle);
            _callback();
        }
        else if ((flags & Idle) != 0 && !_inIdleList)
        {
            _inIdleList = true;
            context.AddIdle(this);
        }
    }

    /// <summary><b>Loop</b>. Runs it if it is still wanted as an idle one.</summary>
    internal bool RunIdle()
    {
        _inIdleList = false;
        var flags = Interlocked.And(ref _flags, ~Idle);
        if ((flags & Idle) == 0 || (flags & Deleted) != 0)
        {
            return false;
        }

        _callback();
        return true;
    }

    private void Enqueue(int how)
    {
        var flags = Interlocked.Or(ref _flags, Linked | how);
        if ((flags & (Linked | Deleted)) == 0)
        {
            _context.Push(this);
        }
    }
}

/// <summary>What hangs on a loop's list of bottom halves. Not for use outside this library.</summary>
public abstract class BottomHalfNode
{
    private protected BottomHalfNode()
    {
    }

    // Written by the pusher before it publishes, read by the taker after it took.
    internal BottomHalfNode? Next { get; set; }

    internal abstract void RunTaken(AioContext context);
}

/// <summary>A one-shot bottom half. Nodes are kept per thread, so that steady traffic between loops allocates nothing.</summary>
internal sealed class OneShotBottomHalf : BottomHalfNode
{
    /// <summary>Most nodes that a thread keeps for its next calls; more are left to the garbage collector.</summary>
    private const int MaxKeptPerThread = 256;

    [ThreadStatic]
    private static OneShotBottomHalf? _kept;

    [ThreadStatic]
    private static int _keptCount;

    private Action<object?>? _callback;
    private object? _state;

    public static OneShotBottomHalf Rent(Action<object?> callback, object? state)
    {
        var node = _kept;
        if (node is null)
        {
            node = new OneShotBottomHalf();
        }
        else
        {
            _kept = (OneShotBottomHalf?)node.Next;
            _keptCount--;
            node.Next = null;
        }

        node._callback = callback;
        node._state = state;
        return node;
    }

    internal override void RunTaken(AioContext context)
    {
        var callback = _callback!;
        var state = _state;
        _callback = null;
        _state = null;
        if (_keptCount < MaxKeptPerThread)
        {
            Next = _kept;
            _kept = this;
            _keptCount++;
        }

        callback(state);
    }
}
