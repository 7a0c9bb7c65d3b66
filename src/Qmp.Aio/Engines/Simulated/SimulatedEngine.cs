namespace Qmp.Aio;

/// <summary>
/// The engine of a loop in a <see cref="Simulation"/>: disks in memory, virtual time, seeded order. Descriptors that
/// are watched are real ones (sockets and eventfds of the same process), looked at without waiting; files that are not
/// simulated disks are real, too, but when and whether their I/O succeeds is simulated.
/// </summary>
internal sealed unsafe class SimulatedEngine(Simulation simulation) : AioEngine
{
    private readonly List<(AioRequest Request, int Result)> _ready = [];
    private readonly List<SimulatedWatch> _watches = [];

    public override AioEngineKind Kind => AioEngineKind.Simulated;

    internal override long NowNs => simulation.NowNs;

    public override void Read(AioRequest request, int fd, Iovec* segments, int count, long offset, int rwFlags = 0)
        => Submit(SimulatedIoKind.Read, request, fd, segments, count, offset, Total(segments, count), rwFlags);

    // Its files are no files of the kernel, and its reads take their time.
    public override int ReadCached(int fd, Iovec* segments, int count, long offset) => -Errno.EAGAIN;

    public override void Write(AioRequest request, int fd, Iovec* segments, int count, long offset, int rwFlags = 0)
        => Submit(SimulatedIoKind.Write, request, fd, segments, count, offset, Total(segments, count), rwFlags);

    public override void Fsync(AioRequest request, int fd, bool dataOnly)
        => Submit(SimulatedIoKind.Flush, request, fd, null, 0, 0, 0, 0);

    public override void Fallocate(AioRequest request, int fd, int mode, long offset, long length)
        => Submit(SimulatedIoKind.Allocate, request, fd, null, 0, offset, length, mode);

    public override void Dispose()
    {
    }

    internal override void RunOnWorker(WorkItem item)
        => simulation.Pending.Add(new SimulatedWork(simulation.NextDueNs(), item));

    internal override void Flush()
    {
    }

    internal override bool HasReady() => _ready.Count > 0 || _watches.Exists(static watch => watch.IsReady());

    internal override void Wait(long timeoutNs)
    {
        if (timeoutNs != 0)
        {
            throw new InvalidOperationException("A simulated loop cannot wait: its Simulation runs it.");
        }

        foreach (var watch in _watches)
        {
            watch.Look();
        }
    }

    internal override bool Dispatch()
    {
        var progress = false;
        List<(AioRequest Request, int Result)> ready = [.. _ready];
        _ready.Clear();
        simulation.Random.Shuffle(ready);
        foreach (var (request, result) in ready)
        {
            progress = true;
            InFlight--;
            request.OnCompleted(result);
        }

        List<SimulatedWatch> watches = [.. _watches];
        simulation.Random.Shuffle(watches);
        foreach (var watch in watches)
        {
            progress |= watch.Report();
        }

        return progress;
    }

    // The simulation looks at the list of bottom halves by itself.
    internal override void Wake()
    {
    }

    internal override AioWatch Watch(int fd, AioEvents events, Action<AioEvents> ready)
        => new SimulatedWatch(this, fd, events, ready, null);

    internal override AioWatch WatchEvent(AioEventFd eventFd, Action signalled)
        => new SimulatedWatch(this, eventFd.Fd, AioEvents.In, null, signalled);

    internal void Complete(AioRequest request, int result) => _ready.Add((request, result));

    private static long Total(Iovec* segments, int count)
    {
        var total = 0L;
        for (var i = 0; i < count; i++)
        {
            total += (long)segments[i].Length;
        }

        return total;
    }

    private void Submit(
        SimulatedIoKind kind,
        AioRequest request,
        int fd,
        Iovec* segments,
        int count,
        long offset,
        long length,
        int flags)
    {
        Context.AssertCurrent();
        InFlight++;
        simulation.Pending.Add(new SimulatedIo(
            this,
            simulation,
            simulation.FindDisk(fd) ?? (ISimulatedStorage)new RealFileStorage(fd),
            fd,
            kind,
            request,
            segments,
            count,
            offset,
            length,
            flags,
            simulation.NextDueNs()));
    }

    private sealed class SimulatedWatch : AioWatch
    {
        private readonly SimulatedEngine _engine;
        private readonly int _fd;
        private readonly Action<AioEvents>? _ready;
        private readonly Action? _signalled;
        private AioEvents _seen;

        public SimulatedWatch(
            SimulatedEngine engine, int fd, AioEvents events, Action<AioEvents>? ready, Action? signalled)
            : base(events)
        {
            _engine = engine;
            _fd = fd;
            _ready = ready;
            _signalled = signalled;
            engine._watches.Add(this);
        }

        public override void Update(AioEvents events)
        {
            Events = events;
            _seen = AioEvents.None;
        }

        public override void Dispose()
        {
            Update(AioEvents.None);
            _engine._watches.Remove(this);
        }

        public bool IsReady() => Events != AioEvents.None && Libc.PollNow(_fd, Events) != AioEvents.None;

        public void Look() => _seen = Events == AioEvents.None ? AioEvents.None : Libc.PollNow(_fd, Events);

        public bool Report()
        {
            var seen = _seen;
            _seen = AioEvents.None;
            if (seen == AioEvents.None || Events == AioEvents.None)
            {
                return false;
            }

            if (_signalled is not null)
            {
                ulong value;
                _ = Libc.Read(_fd, &value, sizeof(ulong));
                _signalled();
            }
            else
            {
                _ready!(seen);
            }

            return true;
        }
    }
}
