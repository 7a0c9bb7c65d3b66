using System.Diagnostics.CodeAnalysis;

namespace Qmp.Aio;

/// <summary>How a loop talks to the kernel.</summary>
public enum AioEngineKind
{
    /// <summary>io_uring if the kernel permits it, else threads.</summary>
    Auto,

    /// <summary>io_uring (Linux 5.11 or newer).</summary>
    IoUring,

    /// <summary>epoll and a pool of threads that read and write.</summary>
    Threads,

    /// <summary>Virtual time and simulated disks; made by a <see cref="Simulation"/>.</summary>
    Simulated,
}

/// <summary>
/// The I/O of one loop. Operations are <b>Loop</b>; each completes later, on the loop, with the bytes transferred or a
/// negative error number, never inside the call that submits it. Buffers and segment lists must stay valid and in
/// place until completion. Interrupted operations are repeated by the engine; short transfers are the caller's matter.
/// </summary>
public abstract class AioEngine : IDisposable
{
    private static int _hasLoggedFallback;

    private protected AioEngine()
    {
    }

    /// <summary>Makes an io_uring engine, or says why it cannot be.</summary>
    internal delegate bool TryCreateIoUring([NotNullWhen(true)] out AioEngine? engine, out string reason);

    /// <summary>Which one it is.</summary>
    public abstract AioEngineKind Kind { get; }

    /// <summary>Operations submitted whose <see cref="AioRequest.OnCompleted"/> has not been called. <b>Loop</b>.</summary>
    public int InFlight { get; private protected set; }

    /// <summary>The loop's clock in nanoseconds.</summary>
    internal virtual long NowNs => MonotonicClock.NowNs;

    /// <summary>The loop that drives this engine; set once.</summary>
    private protected AioContext Context { get; private set; } = null!;

    /// <summary>
    /// Makes an engine. <see cref="AioEngineKind.Auto"/> falls back to threads, with one line per
    /// process to <paramref name="log"/> that says why. <b>Any</b>. Throws <see cref="PlatformNotSupportedException"/> if io_uring is asked for by name and forbidden.
    /// </summary>
    public static AioEngine Create(AioEngineKind kind, Action<string>? log = null)
        => Create(kind, log, IoUringEngine.TryCreate);

    internal static void ForgetFallback() => _hasLoggedFallback = 0;

    internal static AioEngine Create(AioEngineKind kind, Action<string>? log, TryCreateIoUring tryCreateIoUring)
    {
        switch (kind)
        {
            case AioEngineKind.Threads:
                return new ThreadsEngine();
            case AioEngineKind.IoUring:
            case AioEngineKind.Auto:
                if (tryCreateIoUring(out var engine, out var reason))
                {
                    return engine;
                }

                if (kind == AioEngineKind.IoUring)
                {
                    throw new PlatformNotSupportedException($"io_uring is not available: {reason}");
                }

                // Once per process, however many loops there are.
                if (Interlocked.Exchange(ref _hasLoggedFallback, 1) == 0)
                {
                    log?.Invoke($"io_uring is not available ({reason}): using threads for I/O");
                }

                return new ThreadsEngine();
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "A simulated engine is made by a Simulation.");
        }
    }

    /// <summary>Reads; completes with the bytes read, fewer at the end of the file.</summary>
    /// <param name="request">Told when it is over.</param>
    /// <param name="fd">Open file; must stay open until completion.</param>
    /// <param name="segments">Scatter list; must stay valid until completion.</param>
    /// <param name="count">Segments, 1 to 1024.</param>
    /// <param name="offset">First byte in the file.</param>
    /// <param name="rwFlags"><c>RWF_*</c> of <c>preadv2(2)</c>.</param>
    public abstract unsafe void Read(AioRequest request, int fd, Iovec* segments, int count, long offset, int rwFlags = 0);

    /// <summary>
    /// Reads at once what the kernel holds in memory: the bytes read, fewer than asked for where the rest is not there, or
    /// a negative error number, <c>-EAGAIN</c> where the answer would take time or the engine cannot tell. The way of a
    /// single request; many are better queued.
    /// </summary>
    /// <inheritdoc cref="Read"/>
    public virtual unsafe int ReadCached(int fd, Iovec* segments, int count, long offset)
        => (int)Libc.Preadv(fd, segments, count, offset, Libc.RWF_NOWAIT);

    /// <summary>Writes; completes with the bytes written. <see cref="Libc.RWF_DSYNC"/> makes it durable.</summary>
    /// <inheritdoc cref="Read"/>
    public abstract unsafe void Write(AioRequest request, int fd, Iovec* segments, int count, long offset, int rwFlags = 0);

    /// <summary>Writes back what the kernel holds; <paramref name="dataOnly"/> as <c>fdatasync</c>. Completes with 0.</summary>
    public abstract void Fsync(AioRequest request, int fd, bool dataOnly);

    /// <summary><c>fallocate(2)</c> with <c>FALLOC_FL_*</c>; range in bytes. Completes with 0.</summary>
    public abstract void Fallocate(AioRequest request, int fd, int mode, long offset, long length);

    /// <summary>Releases the kernel's objects. Nothing may be in flight; the loop must not be running.</summary>
    public abstract void Dispose();

    /// <summary><b>Loop</b>. Runs on another thread, or later in simulation; <see cref="WorkItem.Complete"/> then runs on the loop.</summary>
    internal virtual void RunOnWorker(WorkItem item) => WorkerPool.Shared.Enqueue(item);

    /// <summary>Binds the engine to its loop; once.</summary>
    internal virtual void Attach(AioContext context)
    {
        if (Context is not null)
        {
            throw new InvalidOperationException("An engine belongs to one loop.");
        }

        Context = context;
    }

    /// <summary><b>Loop</b>. Signals an eventfd, at the latest when the loop submits.</summary>
    internal virtual void Signal(AioEventFd eventFd) => eventFd.Signal();

    /// <summary><b>Loop</b>. Submits what is queued without waiting or reaping.</summary>
    internal abstract void Flush();

    /// <summary><b>Loop</b>. Whether something can be reaped, told without a system call.</summary>
    internal abstract bool HasReady();

    /// <summary>
    /// <b>Loop</b>. Submits what is queued, waits until something is ready (0: not at all, -1: without limit), and
    /// notes what is ready. Runs no handler.
    /// </summary>
    internal abstract void Wait(long timeoutNs);

    /// <summary><b>Loop</b>. Runs the handlers of what was noted as ready; false if there was nothing.</summary>
    internal abstract bool Dispatch();

    /// <summary><b>Any</b>. Ends the loop's sleep.</summary>
    internal abstract void Wake();

    /// <summary><b>Loop</b>. Watches a descriptor, level-triggered.</summary>
    internal abstract AioWatch Watch(int fd, AioEvents events, Action<AioEvents> ready);

    /// <summary><b>Loop</b>. Watches an eventfd and drains it.</summary>
    internal abstract AioWatch WatchEvent(AioEventFd eventFd, Action signalled);
}
