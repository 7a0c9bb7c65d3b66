using Qmp.Aio;
using Qmp.Protocol;

namespace Qmp.Server.Objects;

/// <summary>The object type <c>iothread</c>: an event loop on a thread of its own, to which disks are given. <b>Main</b>.</summary>
internal sealed class IoThreadObject : QomObject
{
    private const long DefaultThreadPoolMax = 64;

    private readonly IoThread _thread;
    private readonly Func<AioContext, bool> _isInUse;
    private long _threadPoolMin;
    private long _threadPoolMax = DefaultThreadPoolMax;
    private long _pollWeight;

    private IoThreadObject(IoThread thread, Func<AioContext, bool> isInUse)
        : base("iothread")
    {
        _thread = thread;
        _isInUse = isInUse;
    }

    /// <summary>What every event loop has, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> EventLoopProperties { get; } =
    [
        QomProperty.Integer<IoThreadObject>("thread-pool-min", o => o._threadPoolMin, (o, v) => o.SetThreadPool(InRange("thread-pool-min", v), null)),
        QomProperty.Integer<IoThreadObject>("aio-max-batch", o => o.Context.AioMaxBatch, (o, v) => o.Context.AioMaxBatch = InRange("aio-max-batch", v)),
        QomProperty.Integer<IoThreadObject>("thread-pool-max", o => o._threadPoolMax, (o, v) => o.SetThreadPool(null, InRange("thread-pool-max", v))),
    ];

    /// <summary>What an iothread adds, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> OwnProperties { get; } =
    [
        QomProperty.Integer<IoThreadObject>("poll-max-ns", o => o.Context.PollMaxNs, (o, v) => o.Context.PollMaxNs = InRange("poll-max-ns", v)),
        QomProperty.Integer<IoThreadObject>("poll-weight", o => o._pollWeight, (o, v) => o._pollWeight = InRange("poll-weight", v)),
        QomProperty.Integer<IoThreadObject>("poll-grow", o => o.Context.PollGrow, (o, v) => o.Context.PollGrow = InRange("poll-grow", v)),
        QomProperty.Integer<IoThreadObject>("poll-shrink", o => o.Context.PollShrink, (o, v) => o.Context.PollShrink = InRange("poll-shrink", v)),
    ];

    /// <summary>Its loop. <b>Any</b>.</summary>
    public AioContext Context => _thread.Context;

    /// <summary>The kernel's number of its thread.</summary>
    public int ThreadId { get; private set; }

    /// <summary>Starts the thread.</summary>
    /// <param name="id">Name of the thread and the loop.</param>
    /// <param name="main">The main loop, which the caller is on.</param>
    /// <param name="engine">Engine of the loop.</param>
    /// <param name="log">For the line that tells of a fallback.</param>
    /// <param name="isInUse">Whether anything lives on a loop: then the thread outlives the object.</param>
    /// <param name="configure">Sets properties before anything can see the object; what it throws ends the thread.</param>
    public static async ValueTask<IoThreadObject> CreateAsync(
        string id, AioContext main, AioEngineKind engine, Action<string>? log, Func<AioContext, bool> isInUse, Action<IoThreadObject> configure)
    {
        var iothread = new IoThreadObject(new IoThread(id, engine, log), isInUse);
        try
        {
            configure(iothread);
            await iothread.Context.Enter();
            var threadId = Libc.Gettid();
            await main.Enter();
            iothread.ThreadId = threadId;
            ControlPriority.Raise();
            return iothread;
        }
        catch
        {
            iothread._thread.Dispose();
            throw;
        }
    }

    /// <summary>Sets a property by name, as <c>object-add</c> does.</summary>
    public void Set(string name, long? value)
    {
        if (value is { } number)
        {
            Type.Properties.First(p => p.Name == name).Set!(this, QomProperty.FromInt64(number));
        }
    }

    /// <summary>Sets both bounds of the number of workers at once; null leaves one as it is.</summary>
    public void SetThreadPool(long? min, long? max)
    {
        var newMin = min is { } least ? InRange("thread-pool-min", least) : _threadPoolMin;
        var newMax = max is { } most ? InRange("thread-pool-max", most) : _threadPoolMax;
        if (newMin > newMax || newMax is 0 or > int.MaxValue)
        {
            throw new QmpException("bad thread-pool-min/thread-pool-max values");
        }

        (_threadPoolMin, _threadPoolMax) = (newMin, newMax);
    }

    public override bool IsInUse => _isInUse(Context);

    public override async ValueTask DisposeAsync()
    {
        // Joining a thread blocks; the main loop does not.
        if (AioContext.Current is { } main)
        {
            await main.RunOnWorkerAsync(() =>
            {
                _thread.Dispose();
                return true;
            });
        }
        else
        {
            _thread.Dispose();
        }
    }

    private static long InRange(string name, long value) => value >= 0
        ? value
        : throw new QmpException($"{name} value must be in range [0, {long.MaxValue}]");
}
