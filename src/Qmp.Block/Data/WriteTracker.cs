using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Qmp.Block;

/// <summary>
/// Writes in flight on a node that pads requests, so that a read-modify-write waits for writes it overlaps and holds
/// those that come. All members: <b>Loop</b>. Aligned writes pay for two list links.
/// </summary>
internal sealed class WriteTracker
{
    private readonly List<(long Start, long End)> _serialising = [];
    private readonly List<Waiter> _waiters = [];
    private BlockOperation? _first;

    /// <summary>Tracks a write; false if a serialising request overlaps it, which must be waited for.</summary>
    public bool TryAdd(BlockOperation operation, long start, long end)
    {
        if (_serialising.Count != 0 && OverlapsSerialising(start, end))
        {
            return false;
        }

        operation.Tracker = this;
        operation.TrackedStart = start;
        operation.TrackedEnd = end;
        operation.PreviousTracked = null;
        operation.NextTracked = _first;
        if (_first is not null)
        {
            _first.PreviousTracked = operation;
        }

        _first = operation;
        return true;
    }

    /// <summary>The write is over.</summary>
    public void Remove(BlockOperation operation)
    {
        operation.Tracker = null;
        if (operation.PreviousTracked is null)
        {
            _first = operation.NextTracked;
        }
        else
        {
            operation.PreviousTracked.NextTracked = operation.NextTracked;
        }

        if (operation.NextTracked is not null)
        {
            operation.NextTracked.PreviousTracked = operation.PreviousTracked;
        }

        operation.NextTracked = operation.PreviousTracked = null;
        WakeWaiters();
    }

    /// <summary>Waits until nothing overlaps the range, then claims it.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask BeginSerialisingAsync(long start, long end)
    {
        while (OverlapsSerialising(start, end) || OverlapsWrite(start, end))
        {
            Waiter waiter = new();
            _waiters.Add(waiter);
            await new ValueTask(waiter, 0).ConfigureAwait(false);
        }

        _serialising.Add((start, end));
    }

    /// <summary>Gives the range up.</summary>
    public void EndSerialising(long start, long end)
    {
        _serialising.Remove((start, end));
        WakeWaiters();
    }

    private bool OverlapsSerialising(long start, long end)
    {
        foreach (var range in _serialising)
        {
            if (start < range.End && range.Start < end)
            {
                return true;
            }
        }

        return false;
    }

    private bool OverlapsWrite(long start, long end)
    {
        for (var operation = _first; operation is not null; operation = operation.NextTracked)
        {
            if (start < operation.TrackedEnd && operation.TrackedStart < end)
            {
                return true;
            }
        }

        return false;
    }

    private void WakeWaiters()
    {
        if (_waiters.Count == 0)
        {
            return;
        }

        var waiters = _waiters.ToArray();
        _waiters.Clear();
        foreach (var waiter in waiters)
        {
            waiter.Wake();
        }
    }

    /// <summary>
    /// Resumes who waits inside <see cref="Wake"/>. A task would not: on a loop, which has a synchronization context, it
    /// sends continuations that do not want the context to the thread pool.
    /// </summary>
    private sealed class Waiter : IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _source;

        public void Wake() => _source.SetResult(true);

        public void GetResult(short token) => _source.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
            => _source.OnCompleted(continuation, state, token, flags);
    }
}
