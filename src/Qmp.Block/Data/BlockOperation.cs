using Qmp.Aio;

namespace Qmp.Block;

/// <summary>
/// One piece of I/O on its way down a tree of nodes to the engine and back. Reused, one use at a time: whoever submits
/// it owns it, the block layer and the kernel borrow it and its segments until it completes. Everything is <b>Loop</b>.
/// </summary>
public abstract unsafe class BlockOperation : AioRequest
{
    /// <summary>What is asked for. Set before submitting.</summary>
    public BlockOp Op;

    /// <summary>How. Set before submitting.</summary>
    public BlockFlags Flags;

    /// <summary>First byte, relative to the node it is submitted to. Set before submitting.</summary>
    public long Offset;

    /// <summary>Length in bytes; for reads and writes the sum of the segments. Set before submitting.</summary>
    public long Length;

    /// <summary>Memory of a read or write; valid and in place until completion. Set before submitting.</summary>
    public Iovec* Segments;

    /// <summary>Number of segments; more than 1024 are served in pieces. Set before submitting.</summary>
    public int SegmentCount;

    // What the block layer makes of it on the way down. Fields above are never changed, so that a feeder may keep its
    // request as it is and submit it again.
    internal BlockOp EffectiveOp;
    internal BlockFlags EffectiveFlags;

    /// <summary>The driver whose engine operation is running: it gets the result.</summary>
    internal BlockDriver? Leaf;

    /// <summary>Offset in the leaf.</summary>
    internal long LeafOffset;

    /// <summary>Bytes of a short transfer done so far, and the list that holds the rest.</summary>
    internal long DoneBytes;
    internal Iovec* RestSegments;
    internal int RestCount;

    /// <summary>For the leaf: which step of several is running.</summary>
    internal int Stage;

    /// <summary>List link of whoever holds it: parked requests, a driver's queue.</summary>
    internal BlockOperation? NextHeld;

    // Writes tracked for requests that must not overlap others (see WriteTracker).
    internal WriteTracker? Tracker;
    internal BlockOperation? NextTracked;
    internal BlockOperation? PreviousTracked;
    internal long TrackedStart;
    internal long TrackedEnd;

    private Action? _slowPathDone;
    private ValueTask<int> _slowPath;

    /// <summary>The kind of request that a driver has to serve: a write may have become a request for zeroes.</summary>
    public BlockOp Kind => EffectiveOp;

    /// <summary>The flags that a driver has to honour.</summary>
    public BlockFlags KindFlags => EffectiveFlags;

    /// <summary>Ends it: 0 or a negative error number. Called by the driver that served it, exactly once.</summary>
    public void Complete(int result)
    {
        if (Tracker is not null)
        {
            Tracker.Remove(this);
        }

        Finish(result);
    }

    /// <summary>It is over; never touches the operation after telling its owner.</summary>
    internal abstract void Finish(int result);

    /// <summary>The engine's answer goes to the driver that asked.</summary>
    protected sealed override void OnCompleted(int result) => Leaf!.OnEngineCompleted(this, result);

    /// <summary>Completes with what <paramref name="slowPath"/> returns, whatever it is made of. At most one at a time.</summary>
    internal void CompleteWith(ValueTask<int> slowPath)
    {
        if (slowPath.IsCompletedSuccessfully)
        {
            Complete(slowPath.Result);
            return;
        }

        Remember(slowPath);

        // By way of the loop's synchronization context: a plain task would resume on the thread pool otherwise.
        slowPath.GetAwaiter().UnsafeOnCompleted(_slowPathDone!);
    }

    /// <summary>
    /// As <see cref="CompleteWith"/>, for methods with a pooling builder that await only sources of ours: those resume
    /// inside the completion, on the loop, without a bottom half.
    /// </summary>
    internal void CompleteInline(ValueTask<int> slowPath)
    {
        if (slowPath.IsCompletedSuccessfully)
        {
            Complete(slowPath.Result);
            return;
        }

        Remember(slowPath);
        slowPath.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_slowPathDone!);
    }

    private void Remember(ValueTask<int> slowPath)
    {
        // One delegate for the life of the operation: nothing is allocated per use.
        _slowPathDone ??= OnSlowPathDone;
        _slowPath = slowPath;
    }

    private void OnSlowPathDone()
    {
        var slowPath = _slowPath;
        _slowPath = default;
        Complete(slowPath.Result);
    }
}
