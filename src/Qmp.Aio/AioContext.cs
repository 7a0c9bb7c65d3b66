using System.Diagnostics;

namespace Qmp.Aio;

/// <summary>
/// An event loop: bottom halves, timers, watched descriptors and I/O, on one thread. What belongs to a loop is touched
/// on that loop only; other threads come in by bottom halves (<see cref="Schedule(Action{object}, object)"/>,
/// <see cref="Enter"/>); nobody blocks it. See README.md beside the project.
/// </summary>
public sealed partial class AioContext : IDisposable
{
    /// <summary>How long an idle bottom half waits at most while the loop has other work or sleeps.</summary>
    private const long IdleDelayNs = 10_000_000;

    [ThreadStatic]
    private static AioContext? _current;

    private readonly LoopSynchronizationContext _synchronizationContext;
    private readonly AioEngine _engine;
    private readonly List<BottomHalf> _idle = [];
    private BottomHalfList _bottomHalves;
    private WakeUp _wakeUp;
    private BottomHalfNode? _taken;
    private AioDeferred? _firstDeferred;
    private AioDeferred? _lastDeferred;
    private long _idleSinceNs;
    private volatile bool _stopRequested;
    private bool _isDisposed;

    /// <summary>Makes a loop that does not run yet. It owns <paramref name="engine"/>.</summary>
    public AioContext(string name, AioEngine engine)
    {
        Name = name;
        _engine = engine;
        _synchronizationContext = new LoopSynchronizationContext(this);
        _poller.MaxNs = DefaultPollMaxNs;
        engine.Attach(this);
    }

    /// <summary>The loop whose handlers the calling thread is running, or null. <b>Any</b>.</summary>
    public static AioContext? Current => _current;

    /// <summary>
    /// Called with what a callback threw, on its loop, which then goes on. Null: the exception leaves <see cref="Run"/>.
    /// Callbacks ought not to throw: this is for a log line and, if wanted, an orderly end.
    /// </summary>
    public static Action<AioContext, Exception>? UnhandledException { get; set; }

    /// <summary>For people: log lines, thread names.</summary>
    public string Name { get; }

    /// <summary>Whether the caller is on this loop. <b>Any</b>.</summary>
    public bool IsCurrent => ReferenceEquals(_current, this);

    /// <summary>The I/O of this loop.</summary>
    public AioEngine Engine => _engine;

    /// <summary>The loop's clock in nanoseconds: monotonic, or virtual in simulation. <b>Any</b>.</summary>
    public long NowNs => _engine.NowNs;

    internal TimerHeap Timers { get; } = new();

    /// <summary>
    /// Checks in debug builds that the caller is on this loop: the first line of every method with the rule <b>Loop</b>.
    /// A thread that runs no loop passes while this one does not run, so that a loop can be set up and taken down.
    /// </summary>
    [Conditional("DEBUG")]
    public void AssertCurrent()
    {
        if (!IsCurrent && (_isRunning || _current is not null))
        {
            throw new InvalidOperationException($"This belongs to the loop '{Name}', not to '{_current?.Name ?? "no loop"}'.");
        }
    }

    /// <summary>
    /// Runs <paramref name="callback"/> on this loop's next turn, after everything that was scheduled before, and never
    /// inside this call. <b>Any</b>. Allocates nothing in steady state.
    /// </summary>
    public void Schedule(Action<object?> callback, object? state = null) => Push(OneShotBottomHalf.Rent(callback, state));

    /// <summary>As the other overload, for a callback without state.</summary>
    public void Schedule(Action callback) => Schedule(static action => ((Action)action!)(), callback);

    /// <summary>Makes a reusable bottom half. <b>Any</b>.</summary>
    public BottomHalf NewBottomHalf(Action callback) => new(this, callback);

    /// <summary>Await it to continue on this loop; completes at once when already there. <b>Any</b>.</summary>
    public EnterAwaitable Enter() => new(this);

    /// <summary>Await it to continue on a later turn of this loop. <b>Any</b>.</summary>
    public YieldAwaitable Yield() => new(this);

    /// <summary>Makes a timer, not armed. <b>Loop</b>.</summary>
    public AioTimer NewTimer(Action callback) => new(this, callback);

    /// <summary>
    /// Completes on this loop after <paramref name="delay"/> of its clock. <b>Loop</b>. For control code: it allocates.
    /// </summary>
    public ValueTask DelayAsync(TimeSpan delay, CancellationToken cancellationToken = default)
    {
        AssertCurrent();
        return new ValueTask(new LoopDelay(this, delay, cancellationToken).Task);
    }

    /// <summary>
    /// Calls <paramref name="ready"/> on each turn while <paramref name="fd"/> is ready for <paramref name="events"/>.
    /// The descriptor must stay open until the watch is disposed. <b>Loop</b>.
    /// </summary>
    public AioWatch Watch(int fd, AioEvents events, Action<AioEvents> ready)
    {
        AssertCurrent();
        return _engine.Watch(fd, events, ready);
    }

    /// <summary>
    /// Calls <paramref name="signalled"/> after <paramref name="fd"/> was signalled; several signals may come as one.
    /// The engine takes care of the counter: do not read it. <paramref name="poll"/> is called while the loop spins
    /// and returns true if it found work. <b>Loop</b>.
    /// </summary>
    public AioWatch WatchEvent(AioEventFd fd, Action signalled, Func<bool>? poll = null)
        => poll is null ? WatchEventOnly(fd, signalled) : WatchEvent(fd, new DelegateEventHandler(signalled, poll));

    /// <summary>As the other overload, for those who can tell the other side to stop signalling while the loop looks by itself. <b>Loop</b>.</summary>
    public AioWatch WatchEvent(AioEventFd fd, IAioEventHandler handler)
    {
        AssertCurrent();
        return new PolledWatch(this, _engine.WatchEvent(fd, handler.OnSignalled), handler);
    }

    /// <summary>
    /// Runs a blocking call on a worker thread; the task completes on this loop. An exception of
    /// <paramref name="blocking"/> is rethrown by the await. <b>Loop</b>.
    /// </summary>
    public ValueTask<T> RunOnWorkerAsync<T>(Func<object?, T> blocking, object? state)
    {
        AssertCurrent();
        WorkerCall<T> call = new(this, blocking, state);
        _engine.RunOnWorker(call);
        return new ValueTask<T>(call.Task);
    }

    /// <summary>As the other overload, for a call that captures what it needs.</summary>
    public ValueTask<T> RunOnWorkerAsync<T>(Func<T> blocking)
        => RunOnWorkerAsync(static function => ((Func<T>)function!)(), blocking);

    /// <summary>
    /// Calls <see cref="AioDeferred.OnEndOfTurn"/> once, when the current handlers are through and before the loop
    /// submits and sleeps. Deferring what is deferred already does nothing. <b>Loop</b>.
    /// </summary>
    public void DeferUntilEndOfTurn(AioDeferred deferred)
    {
        AssertCurrent();
        if (deferred.IsQueued)
        {
            return;
        }

        deferred.IsQueued = true;
        if (_lastDeferred is null)
        {
            _firstDeferred = deferred;
        }
        else
        {
            _lastDeferred.Next = deferred;
        }

        _lastDeferred = deferred;
    }

    /// <summary>
    /// Signals an event of another party, at the latest when this turn submits: cheaper than
    /// <see cref="AioEventFd.Signal"/> right before that. The descriptor must stay open until then. <b>Loop</b>.
    /// </summary>
    public void Signal(AioEventFd eventFd)
    {
        AssertCurrent();
        _engine.Signal(eventFd);
    }

    /// <summary>
    /// Closes the engine. Not while the loop runs, and not with I/O in flight. What is scheduled afterwards never runs.
    /// </summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _engine.Dispose();
        }
    }

    internal void Push(BottomHalfNode node)
    {
        _bottomHalves.Push(node);
        if (_wakeUp.ClaimWake())
        {
            _engine.Wake();
        }
    }

    internal void AddIdle(BottomHalf bottomHalf)
    {
        if (_idle.Count == 0)
        {
            _idleSinceNs = NowNs;
        }

        _idle.Add(bottomHalf);
    }

    /// <summary>Whether a turn would run something, apart from what the engine has: for the scheduler of simulated loops.</summary>
    internal bool HasWork
        => _taken is not null || !_bottomHalves.IsEmpty || _firstDeferred is not null || _idle.Count > 0
            || Timers.NextDeadlineNs <= NowNs;

    private AioWatch WatchEventOnly(AioEventFd fd, Action signalled)
    {
        AssertCurrent();
        return _engine.WatchEvent(fd, signalled);
    }
}
