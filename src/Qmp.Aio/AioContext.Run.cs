namespace Qmp.Aio;

// The loop itself. One turn: bottom halves, timers, end of batch, one visit to the kernel, handlers of what came back.
public sealed partial class AioContext
{
    private volatile bool _isRunning;

    /// <summary>
    /// Runs the loop on this thread until <see cref="Stop"/> or <paramref name="stop"/>, and until the I/O in flight
    /// has finished. An <c>await</c> on this thread resumes on the loop.
    /// </summary>
    public void Run(CancellationToken stop = default)
    {
        using var registration = stop.UnsafeRegister(static context => ((AioContext)context!).Stop(), this);
        var (context, synchronizationContext) = Install();
        _isRunning = true;
        try
        {
            bool stopping;
            do
            {
                // What was scheduled before the request to stop still runs.
                stopping = _stopRequested;
                try
                {
                    Turn(mayBlock: true);
                }
                catch (Exception e) when (UnhandledException is { } handler)
                {
                    handler(this, e);
                }
            }
            while (!stopping || _engine.InFlight > 0);
        }
        finally
        {
            _isRunning = false;
            _stopRequested = false;
            Uninstall(context, synchronizationContext);
        }
    }

    /// <summary>
    /// One turn of the loop on this thread; true if anything ran. Waits for work only if <paramref name="mayBlock"/>.
    /// Always the same thread, and not while <see cref="Run"/> runs.
    /// </summary>
    public bool RunOnce(bool mayBlock)
    {
        var (context, synchronizationContext) = Install();
        try
        {
            return Turn(mayBlock);
        }
        finally
        {
            Uninstall(context, synchronizationContext);
        }
    }

    /// <summary>Makes <see cref="Run"/> return when the current turn is over and nothing is in flight. <b>Any</b>.</summary>
    public void Stop()
    {
        _stopRequested = true;
        Interlocked.MemoryBarrier();
        if (_wakeUp.ClaimWake())
        {
            _engine.Wake();
        }
    }

    private (AioContext? Context, SynchronizationContext? SynchronizationContext) Install()
    {
        var previous = (_current, SynchronizationContext.Current);
        _current = this;
        SynchronizationContext.SetSynchronizationContext(_synchronizationContext);
        return previous;
    }

    private static void Uninstall(AioContext? context, SynchronizationContext? synchronizationContext)
    {
        _current = context;
        SynchronizationContext.SetSynchronizationContext(synchronizationContext);
    }

    private bool Turn(bool mayBlock)
    {
        var progress = RunBottomHalves();
        if (Timers.Count > 0)
        {
            progress |= Timers.RunDue(NowNs);
        }

        if (_idle.Count > 0)
        {
            progress |= RunIdle(progress);
        }

        progress |= PollOnce();
        RunDeferred();
        Visit(mayBlock && !progress);
        progress |= _engine.Dispatch();
        return progress;
    }

    private bool RunBottomHalves()
    {
        // What an exception left over comes first, to keep the order.
        _taken ??= _bottomHalves.TakeAll();
        if (_taken is null)
        {
            return false;
        }

        while (_taken is { } node)
        {
            _taken = node.Next;
            node.Next = null;
            node.RunTaken(this);
        }

        return true;
    }

    private bool RunIdle(bool busy)
    {
        if (busy && NowNs - _idleSinceNs < IdleDelayNs)
        {
            return false;
        }

        var ran = false;
        var count = _idle.Count;
        for (var i = 0; i < count; i++)
        {
            var bottomHalf = _idle[0];
            _idle.RemoveAt(0);
            ran |= bottomHalf.RunIdle();
        }

        _idleSinceNs = NowNs;
        return ran;
    }

    private void RunDeferred()
    {
        while (_firstDeferred is { } deferred)
        {
            _firstDeferred = deferred.Next;
            if (_firstDeferred is null)
            {
                _lastDeferred = null;
            }

            deferred.Next = null;
            deferred.IsQueued = false;
            deferred.OnEndOfTurn();
        }
    }

    /// <summary>Goes to the kernel: submit, and wait if there is nothing to do.</summary>
    private void Visit(bool mayBlock)
    {
        if (!mayBlock || HasReadyWork())
        {
            _engine.Wait(0);
            return;
        }

        var spinNs = _poller.NextSpinNs(isForIo: _engine.InFlight > 0);
        if ((spinNs > 0 && Spin(spinNs)) || StopPolling())
        {
            RunDeferred();
            _engine.Wait(0);
            return;
        }

        // The clock is read only where a longer spin is permitted than the one that missed.
        var couldSpinLonger = spinNs > 0 && spinNs < _poller.MaxNs;
        var asleepNs = couldSpinLonger ? NowNs : 0;
        _wakeUp.PrepareToSleep();
        _engine.Wait(HasReadyWork() ? 0 : SleepNs());
        _wakeUp.Awake();
        if (couldSpinLonger)
        {
            _poller.NoteWait(spinNs + NowNs - asleepNs);
        }
    }

    private bool HasReadyWork() => !_bottomHalves.IsEmpty || _firstDeferred is not null || (_stopRequested && _engine.InFlight == 0);

    private long SleepNs()
    {
        var deadline = Timers.NextDeadlineNs;
        if (_idle.Count > 0)
        {
            deadline = Math.Min(deadline, _idleSinceNs + IdleDelayNs);
        }

        return deadline == long.MaxValue ? -1 : Math.Max(0, deadline - NowNs);
    }
}
