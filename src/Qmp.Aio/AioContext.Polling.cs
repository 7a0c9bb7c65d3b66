namespace Qmp.Aio;

// Spinning before sleep: a loop looks by itself at the queues of its guests and at what the kernel has for it, which spares
// all of them the system calls and the latency of waking up. A main loop does so between the commands of a client.
public sealed partial class AioContext
{
    private const long DefaultPollMaxNs = 32768;

    private BusyPoller _poller;
    private PolledWatch[] _polled = [];
    private bool _isPolling;
    private long _aioMaxBatch;

    /// <summary>Longest spin before the loop sleeps, in nanoseconds; 0 switches spinning off. Default 32768. <b>Any</b>.</summary>
    public long PollMaxNs
    {
        get => _poller.MaxNs;
        set => _poller.MaxNs = value;
    }

    /// <summary>Factor by which the spin grows while it is too short; 0 is 2. <b>Any</b>.</summary>
    public long PollGrow
    {
        get => _poller.Grow;
        set => _poller.Grow = value;
    }

    /// <summary>Divisor by which the spin shrinks when it is useless; 0 drops it to nothing. <b>Any</b>.</summary>
    public long PollShrink
    {
        get => _poller.Shrink;
        set => _poller.Shrink = value;
    }

    /// <summary>Most requests that wait for one submission to the kernel; 0 is the engine's choice. <b>Any</b>.</summary>
    public long AioMaxBatch
    {
        get => Volatile.Read(ref _aioMaxBatch);
        set => Volatile.Write(ref _aioMaxBatch, value);
    }

    /// <summary><b>Loop</b>. Whether the loop looks at its queues by itself, as it does before it sleeps.</summary>
    internal bool IsPolling => _isPolling;

    private void AddPolled(PolledWatch watch)
    {
        _polled = [.. _polled, watch];
        if (_isPolling)
        {
            watch.PollBegin();
        }
    }

    private void RemovePolled(PolledWatch watch)
    {
        var index = Array.IndexOf(_polled, watch);
        _polled = [.. _polled[..index], .. _polled[(index + 1)..]];
        watch.PollEnd();
    }

    /// <summary>Looks at every handler once, while the other sides were told not to signal.</summary>
    private bool PollOnce()
    {
        if (!_isPolling)
        {
            return false;
        }

        var progress = false;
        foreach (var watch in _polled)
        {
            progress |= watch.Poll();
        }

        return progress;
    }

    /// <summary>Spins; true if there is something to do now. Otherwise the loop may sleep.</summary>
    private bool Spin(long spinNs)
    {
        // What is queued must be on its way before the spin; what completed inside ends it at once.
        _engine.Flush();
        if (_engine.HasReady())
        {
            return true;
        }

        var beginNs = NowNs;
        var deadline = Math.Min(beginNs + spinNs, Timers.NextDeadlineNs);
        if (deadline <= beginNs)
        {
            return false;
        }

        if (!_isPolling)
        {
            _isPolling = true;
            foreach (var watch in _polled)
            {
                watch.PollBegin();
            }
        }

        // The clock is read before each look: the work of the look that finds some is no spinning.
        for (var nowNs = beginNs; nowNs < deadline; nowNs = NowNs)
        {
            if (PollOnce() || HasReadyWork() || _engine.HasReady())
            {
                _poller.NoteSpin(caught: true, nowNs - beginNs);
                return true;
            }

            // A breath for the other thread of the core.
            Thread.SpinWait(1);
        }

        _poller.NoteSpin(caught: false, deadline - beginNs);
        return false;
    }

    /// <summary>Before a sleep: the other sides signal again. True if they had queued something before they knew.</summary>
    private bool StopPolling()
    {
        if (!_isPolling)
        {
            return false;
        }

        _isPolling = false;
        var found = false;
        foreach (var watch in _polled)
        {
            watch.PollEnd();
            found |= watch.Poll();
        }

        return found;
    }

    private sealed class DelegateEventHandler(Action signalled, Func<bool> poll) : IAioEventHandler
    {
        public void OnSignalled() => signalled();

        public bool Poll() => poll();

        public void PollBegin()
        {
        }

        public void PollEnd()
        {
        }
    }

    /// <summary>A watch whose handler can look by itself. One that is paused or gone is not asked, also in the middle of a round.</summary>
    private sealed class PolledWatch : AioWatch
    {
        private readonly AioContext _context;
        private readonly AioWatch _event;
        private readonly IAioEventHandler _handler;
        private bool _isPolled;
        private bool _isDisposed;

        public PolledWatch(AioContext context, AioWatch @event, IAioEventHandler handler)
            : base(@event.Events)
        {
            _context = context;
            _event = @event;
            _handler = handler;
            context.AddPolled(this);
        }

        public override void Update(AioEvents events)
        {
            if (events == Events || _isDisposed)
            {
                return;
            }

            var wasActive = Events != AioEvents.None;
            Events = events;
            _event.Update(events);
            if (events == AioEvents.None)
            {
                _context.RemovePolled(this);
            }
            else if (!wasActive)
            {
                _context.AddPolled(this);
            }
        }

        public override void Dispose()
        {
            if (!_isDisposed)
            {
                Update(AioEvents.None);
                _isDisposed = true;
                _event.Dispose();
            }
        }

        public bool Poll() => Events != AioEvents.None && _handler.Poll();

        public void PollBegin()
        {
            if (!_isPolled)
            {
                _isPolled = true;
                _handler.PollBegin();
            }
        }

        public void PollEnd()
        {
            if (_isPolled)
            {
                _isPolled = false;
                _handler.PollEnd();
            }
        }
    }
}
