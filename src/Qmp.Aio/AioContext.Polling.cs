namespace Qmp.Aio;

// Spinning before sleep: a loop looks by itself at the queues of its guests for a while, which spares them and itself
// the system calls and the wake-up latency of an event.
public sealed partial class AioContext
{
    private const long DefaultPollMaxNs = 32768;

    private BusyPoller _poller;
    private IAioEventHandler[] _pollHandlers = [];
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

    internal void AddPollHandler(IAioEventHandler handler)
    {
        _pollHandlers = [.. _pollHandlers, handler];
        if (_isPolling)
        {
            handler.PollBegin();
        }
    }

    internal void RemovePollHandler(IAioEventHandler handler)
    {
        var index = Array.IndexOf(_pollHandlers, handler);
        if (index < 0)
        {
            return;
        }

        _pollHandlers = [.. _pollHandlers[..index], .. _pollHandlers[(index + 1)..]];
        if (_isPolling)
        {
            handler.PollEnd();
            _isPolling = _pollHandlers.Length > 0;
        }
    }

    /// <summary>Looks at every handler once, while the other sides were told not to signal.</summary>
    private bool PollOnce()
    {
        if (!_isPolling)
        {
            return false;
        }

        var progress = false;
        foreach (var handler in _pollHandlers)
        {
            progress |= handler.Poll();
        }

        return progress;
    }

    /// <summary>Spins for the adapted time; true if there is something to do now. Otherwise the loop may sleep.</summary>
    private bool Spin(long startNs)
    {
        if (_pollHandlers.Length == 0)
        {
            return false;
        }

        var spinNs = Math.Min(_poller.CurrentNs, PollMaxNs);
        var deadline = Math.Min(startNs + spinNs, Timers.NextDeadlineNs);
        if (spinNs > 0 && deadline > startNs)
        {
            // What is queued must be on its way before the spin; what completed inside ends it at once.
            _engine.Flush();
            if (_engine.HasReady())
            {
                return true;
            }

            if (!_isPolling)
            {
                _isPolling = true;
                foreach (var handler in _pollHandlers)
                {
                    handler.PollBegin();
                }
            }

            do
            {
                if (PollOnce() || HasReadyWork() || _engine.HasReady())
                {
                    return true;
                }
            }
            while (SpinAgain(deadline));
        }

        if (!_isPolling)
        {
            return false;
        }

        // Sleep is next: the other sides must signal again, and what they queued before they knew is found here.
        _isPolling = false;
        var found = false;
        foreach (var handler in _pollHandlers)
        {
            handler.PollEnd();
            found |= handler.Poll();
        }

        return found;
    }

    private bool SpinAgain(long deadline)
    {
        // A breath for the other thread of the core.
        Thread.SpinWait(1);
        return NowNs < deadline;
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

    private sealed class PolledWatch : AioWatch
    {
        private readonly AioContext _context;
        private readonly AioWatch _event;
        private readonly IAioEventHandler _handler;
        private bool _isDisposed;

        public PolledWatch(AioContext context, AioWatch @event, IAioEventHandler handler)
            : base(@event.Events)
        {
            _context = context;
            _event = @event;
            _handler = handler;
            context.AddPollHandler(handler);
        }

        public override void Update(AioEvents events)
        {
            if (events == Events || _isDisposed)
            {
                return;
            }

            Events = events;
            _event.Update(events);
            if (events == AioEvents.None)
            {
                _context.RemovePollHandler(_handler);
            }
            else
            {
                _context.AddPollHandler(_handler);
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
    }
}
