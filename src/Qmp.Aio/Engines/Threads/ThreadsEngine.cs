using System.Runtime.InteropServices;

namespace Qmp.Aio;

/// <summary>
/// For kernels and containers that forbid io_uring: epoll for readiness, the shared worker threads for reads and
/// writes. A finished operation comes back to the loop as a bottom half.
/// </summary>
internal sealed unsafe class ThreadsEngine : AioEngine
{
    /// <summary>Events taken from the kernel at once; more come on the next turn.</summary>
    private const int MaxEvents = 128;

    private readonly int _epoll;
    private readonly AioEventFd _wakeEvent = new();
    private readonly byte* _events = (byte*)NativeMemory.AllocZeroed(MaxEvents * 16);
    private EpollWatch?[] _watches = new EpollWatch?[16];
    private int _watchCount;
    private ThreadsOperation? _freeOperations;
    private int _readyNext;
    private int _readyCount;
    private bool _isDisposed;

    public ThreadsEngine()
    {
        _epoll = Libc.EpollCreate();
        if (_epoll < 0)
        {
            throw new IOException($"Could not create an epoll descriptor: {Errno.Describe(_epoll)}");
        }
    }

    public override AioEngineKind Kind => AioEngineKind.Threads;

    internal int Epoll => _epoll;

    public override void Read(AioRequest request, int fd, Iovec* segments, int count, long offset, int rwFlags = 0)
        => Submit(ThreadsOperationKind.Read, request, fd, segments, count, offset, 0, rwFlags);

    public override void Write(AioRequest request, int fd, Iovec* segments, int count, long offset, int rwFlags = 0)
        => Submit(ThreadsOperationKind.Write, request, fd, segments, count, offset, 0, rwFlags);

    public override void Fsync(AioRequest request, int fd, bool dataOnly)
        => Submit(dataOnly ? ThreadsOperationKind.Fdatasync : ThreadsOperationKind.Fsync, request, fd, null, 0, 0, 0, 0);

    public override void Fallocate(AioRequest request, int fd, int mode, long offset, long length)
        => Submit(ThreadsOperationKind.Fallocate, request, fd, null, 0, offset, length, mode);

    public override void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _ = Libc.Close(_epoll);
        _wakeEvent.Dispose();
        NativeMemory.Free(_events);
    }

    internal override void Attach(AioContext context)
    {
        base.Attach(context);
        WatchEvent(_wakeEvent, static () => { });
    }

    internal override void Wake() => _wakeEvent.Signal();

    internal override void Flush()
    {
    }

    // Operations come back as bottom halves, which the loop sees by itself; descriptors are not seen without a call.
    internal override bool HasReady() => _readyNext < _readyCount;

    internal override void Wait(long timeoutNs)
    {
        if (_readyNext < _readyCount)
        {
            return;
        }

        var count = Libc.EpollWait(_epoll, _events, MaxEvents, timeoutNs);
        _readyNext = 0;
        _readyCount = Math.Max(0, count);
        if (count < 0 && count != -Errno.EINTR)
        {
            throw new IOException($"epoll: {Errno.Describe(count)}");
        }
    }

    internal override bool Dispatch()
    {
        if (_readyNext == _readyCount)
        {
            return false;
        }

        while (_readyNext < _readyCount)
        {
            var entry = _events + (_readyNext++ * Libc.EpollEventSize);
            var data = *(ulong*)(entry + Libc.EpollEventSize - sizeof(ulong));
            var watch = _watches[(int)(uint)data];
            if (watch is not null && watch.Generation == (uint)(data >> 32))
            {
                watch.OnEvents((AioEvents)(*(uint*)entry));
            }
        }

        return true;
    }

    internal override AioWatch Watch(int fd, AioEvents events, Action<AioEvents> ready)
        => new EpollWatch(this, fd, events, ready, null);

    internal override AioWatch WatchEvent(AioEventFd eventFd, Action signalled)
        => new EpollWatch(this, eventFd.Fd, AioEvents.In, null, signalled);

    internal int AddWatch(EpollWatch watch)
    {
        var index = Array.IndexOf(_watches, null);
        if (index < 0)
        {
            index = _watches.Length;
            Array.Resize(ref _watches, index * 2);
        }

        _watches[index] = watch;
        watch.Generation = (uint)++_watchCount;
        return index;
    }

    internal void RemoveWatch(int index) => _watches[index] = null;

    internal void ReportInvalid(Action<AioEvents> ready)
        => Context.Schedule(() => ready(AioEvents.Invalid | AioEvents.Error));

    internal void AssertCurrent() => Context.AssertCurrent();

    internal void Finish(ThreadsOperation operation)
    {
        if (OperationResults.MustRepeat(operation.Result))
        {
            WorkerPool.Shared.Enqueue(operation);
            return;
        }

        var request = operation.Request!;
        var result = operation.Result;
        operation.Request = null;
        operation.NextFree = _freeOperations;
        _freeOperations = operation;
        InFlight--;
        request.OnCompleted(result);
    }

    private void Submit(
        ThreadsOperationKind kind,
        AioRequest request,
        int fd,
        Iovec* segments,
        int count,
        long offset,
        long length,
        int flags)
    {
        Context.AssertCurrent();
        var operation = _freeOperations ?? new ThreadsOperation(this, Context);
        _freeOperations = operation.NextFree;
        operation.NextFree = null;
        operation.Kind = kind;
        operation.Request = request;
        operation.Fd = fd;
        operation.Segments = segments;
        operation.Count = count;
        operation.Offset = offset;
        operation.Length = length;
        operation.Flags = flags;
        InFlight++;
        WorkerPool.Shared.Enqueue(operation);
    }
}
