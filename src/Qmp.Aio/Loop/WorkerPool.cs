namespace Qmp.Aio;

/// <summary>Blocking work for a pool thread. Intrusive, so that a reused item costs no allocation.</summary>
internal abstract class WorkItem
{
    internal WorkItem? Next { get; set; }

    /// <summary>On a pool thread; must not throw.</summary>
    public abstract void Execute();

    /// <summary>On the pool thread after <see cref="Execute"/> (or on the loop in simulation): hands the result over.</summary>
    public abstract void Complete();
}

/// <summary>
/// The threads that make blocking calls for all loops. They start when needed, up to <see cref="MaxThreads"/>, and end
/// after some seconds without work. More work than threads waits in order.
/// </summary>
internal sealed class WorkerPool
{
    /// <summary>Most threads.</summary>
    public const int MaxThreads = 64;

    private static readonly TimeSpan IdleLife = TimeSpan.FromSeconds(10);

    // Held for a few instructions only, by loops too. A monitor, for its waiting.
    private readonly object _gate = new();
    private WorkItem? _first;
    private WorkItem? _last;
    private int _queued;
    private int _waiting;
    private int _threads;

    public static WorkerPool Shared { get; } = new();

    /// <summary><b>Any</b>.</summary>
    public void Enqueue(WorkItem item)
    {
        var start = false;
        lock (_gate)
        {
            item.Next = null;
            if (_last is null)
            {
                _first = item;
            }
            else
            {
                _last.Next = item;
            }

            _last = item;
            _queued++;

            // A thread that was pulsed but has not run yet counts as waiting, and its item as queued.
            if (_waiting >= _queued)
            {
                Monitor.Pulse(_gate);
            }
            else if (_threads < MaxThreads)
            {
                _threads++;
                start = true;
            }
        }

        if (start)
        {
            new Thread(Work) { IsBackground = true, Name = "aio-worker" }.UnsafeStart();
        }
    }

    private WorkItem? Take()
    {
        lock (_gate)
        {
            while (_first is null)
            {
                _waiting++;
                var pulsed = Monitor.Wait(_gate, IdleLife);
                _waiting--;
                if (!pulsed && _first is null)
                {
                    _threads--;
                    return null;
                }
            }

            var item = _first;
            _first = item.Next;
            if (_first is null)
            {
                _last = null;
            }

            item.Next = null;
            _queued--;
            return item;
        }
    }

    private void Work()
    {
        while (Take() is { } item)
        {
            item.Execute();
            item.Complete();
        }
    }
}
