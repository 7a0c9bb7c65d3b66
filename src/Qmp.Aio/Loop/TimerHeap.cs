namespace Qmp.Aio;

/// <summary>The armed timers of a loop: a binary heap by deadline, and by order of arming among equal ones. <b>Loop</b>.</summary>
internal sealed class TimerHeap
{
    private AioTimer[] _heap = new AioTimer[16];
    private long _nextSequence;

    public int Count { get; private set; }

    /// <summary>The earliest deadline in nanoseconds; <see cref="long.MaxValue"/> if none is armed.</summary>
    public long NextDeadlineNs => Count == 0 ? long.MaxValue : _heap[0].DeadlineNs;

    public void Arm(AioTimer timer, long deadlineNs)
    {
        Remove(timer);
        timer.DeadlineNs = deadlineNs;
        timer.Sequence = _nextSequence++;
        if (Count == _heap.Length)
        {
            Array.Resize(ref _heap, Count * 2);
        }

        Place(timer, Count++);
        SiftUp(timer.HeapIndex);
    }

    public void Remove(AioTimer timer)
    {
        var index = timer.HeapIndex;
        if (index < 0)
        {
            return;
        }

        timer.HeapIndex = -1;
        var last = _heap[--Count];
        _heap[Count] = null!;
        if (index != Count)
        {
            Place(last, index);
            SiftDown(index);
            SiftUp(last.HeapIndex);
        }
    }

    /// <summary>Fires what is due at <paramref name="nowNs"/>. What callbacks arm waits for the next turn.</summary>
    public bool RunDue(long nowNs)
    {
        if (Count == 0 || _heap[0].DeadlineNs > nowNs)
        {
            return false;
        }

        var limit = _nextSequence;
        var fired = false;
        while (Count > 0 && _heap[0].DeadlineNs <= nowNs && _heap[0].Sequence < limit)
        {
            var timer = _heap[0];
            Remove(timer);
            fired = true;
            timer.Callback();
        }

        return fired;
    }

    private static bool Before(AioTimer a, AioTimer b)
        => a.DeadlineNs < b.DeadlineNs || (a.DeadlineNs == b.DeadlineNs && a.Sequence < b.Sequence);

    private void Place(AioTimer timer, int index)
    {
        _heap[index] = timer;
        timer.HeapIndex = index;
    }

    private void SiftUp(int index)
    {
        var timer = _heap[index];
        while (index > 0)
        {
            var parent = (index - 1) / 2;
            if (!Before(timer, _heap[parent]))
            {
                break;
            }

            Place(_heap[parent], index);
            index = parent;
        }

        Place(timer, index);
    }

    private void SiftDown(int index)
    {
        var timer = _heap[index];
        while (true)
        {
            var child = (2 * index) + 1;
            if (child >= Count)
            {
                break;
            }

            if (child + 1 < Count && Before(_heap[child + 1], _heap[child]))
            {
                child++;
            }

            if (!Before(_heap[child], timer))
            {
                break;
            }

            Place(_heap[child], index);
            index = child;
        }

        Place(timer, index);
    }
}
