using Qmp.Aio;
using Qmp.Block;

namespace Simulation;

/// <summary>
/// A virtual machine that uses one disk: keeps requests in flight at random, never two that would conflict, and checks
/// that each is answered once, rightly, and not inside a drained section. Its queue stands for the ring in memory that
/// it shares with the daemon: it survives disconnects.
/// </summary>
internal sealed class Guest : IDisposable
{
    private readonly World _world;
    private readonly SimulationRandom _random;
    private readonly AioContext _loop;
    private readonly List<GuestRequest> _requests = [];
    private readonly LinkedList<GuestRequest> _queue = new();
    private readonly AioTimer _timer;
    private readonly double[] _weights;
    private readonly long _meanPauseNs;
    private ulong _nextStamp = 1;
    private int _left;

    public Guest(World world, string name, int sectors, int depth, int requests)
    {
        _world = world;
        Name = name;
        _random = world.Random.Fork();
        _loop = world.Simulation.NewContext($"{name}-guest");
        _timer = _loop.NewTimer(Tick);
        _left = requests;
        Model = new DiskModel(sectors);
        _meanPauseNs = 1_000 << _random.Next(8);
        for (var i = 0; i < depth; i++)
        {
            _requests.Add(new GuestRequest(this, i));
        }

        // Read, write, flush, discard, write zeroes: some runs do without some of them.
        _weights = [1 + _random.NextDouble(), 1 + _random.NextDouble(), Weight(), Weight(), Weight()];
    }

    public string Name { get; }

    public DiskModel Model { get; }

    /// <summary>Signalled when something was queued.</summary>
    public AioEventFd Kick { get; } = new();

    /// <summary>Drained sections that promise that nothing is in flight on the disk.</summary>
    public int Quiesced { get; set; }

    /// <summary>Whether the disk keeps what is written.</summary>
    public bool HasData { get; init; } = true;

    /// <summary>Requests answered.</summary>
    public int Answered { get; private set; }

    /// <summary>Requests that the daemon has.</summary>
    public IEnumerable<GuestRequest> TakenRequests => _requests.Where(request => request.State == RequestState.Submitted);

    public int Submitted => _requests.Count(request => request.State == RequestState.Submitted);

    /// <summary>Everything that was to be asked was answered.</summary>
    public bool IsDone => _left == 0 && _requests.TrueForAll(request => request.State == RequestState.Free);

    public bool HasQueued => _queue.Count > 0;

    public void Start() => _loop.Schedule(Tick);

    public string Describe()
        => $"{Name}: {_left} left, {Answered} answered, quiesced {Quiesced}; "
            + string.Join("; ", _requests.Where(request => request.State != RequestState.Free));

    /// <summary>The daemon takes a request from the ring.</summary>
    public GuestRequest? Take()
    {
        if (_queue.First is not { } first)
        {
            return null;
        }

        _queue.RemoveFirst();
        SimulationFailure.Unless(first.Value.State == RequestState.Queued, $"taken twice: {first.Value}");
        first.Value.State = RequestState.Submitted;
        return first.Value;
    }

    /// <summary>The daemon answers. What it cancelled, because the connection closed, it will take again.</summary>
    public void OnCompleted(GuestRequest request, int result)
    {
        SimulationFailure.Unless(request.State == RequestState.Submitted, $"answered without being asked: {request}");
        if (result == -Errno.ECANCELED)
        {
            SimulationFailure.Unless(_world.IsClosing(this), $"cancelled without a disconnect: {request}");
            request.State = RequestState.Queued;
            _queue.AddFirst(request);
            return;
        }

        SimulationFailure.Unless(Quiesced == 0, $"served inside a drained section: {request}");
        Check(request, result);
        Answered++;
        request.State = RequestState.Free;
    }

    /// <summary>The disk got another length; nothing is in flight.</summary>
    public void Resized(int sectors) => Model.Resize(sectors);

    public void Dispose()
    {
        Kick.Dispose();
        _requests.ForEach(request => request.Dispose());
    }

    private double Weight() => _random.Chance(0.3) ? 0 : _random.NextDouble();

    private void Check(GuestRequest request, int result)
    {
        var inside = request.FirstSector + request.SectorCount <= Model.Sectors;
        if (request.Op != BlockOp.Flush && !inside)
        {
            SimulationFailure.Unless(result == -Errno.EIO, $"beyond the end, but answered {result}: {request}");
            return;
        }

        if (!_world.FaultsAreOn)
        {
            // What was submitted while they were on may still fail.
            SimulationFailure.Unless(result == 0 || _world.MayStillFail(request), $"failed with {result}: {request}");
        }

        SimulationFailure.Unless(result is 0 or -Errno.EIO, $"answered {result}: {request}");
        if (!HasData)
        {
            return;
        }

        switch (request.Op)
        {
            case BlockOp.Read when result == 0:
                Model.Read(request.FirstSector, request.Words, request.ToString());
                break;
            case BlockOp.Write when result == 0:
                Model.Written(request.FirstSector, request.SectorCount, request.Stamp);
                break;
            case BlockOp.Write:
                Model.MaybeWritten(request.FirstSector, request.SectorCount, request.Stamp);
                break;
            case BlockOp.WriteZeroes when result == 0:
                Model.Written(request.FirstSector, request.SectorCount, 0);
                break;
            case BlockOp.WriteZeroes or BlockOp.Discard:
                Model.MaybeWritten(request.FirstSector, request.SectorCount, 0);
                break;
        }
    }

    private void Tick()
    {
        if (_left == 0)
        {
            return;
        }

        var queued = false;
        for (var i = _random.Next(_requests.Count) + 1; i > 0 && _left > 0; i--)
        {
            queued |= TryQueue();
        }

        if (queued)
        {
            Kick.Signal();
        }

        _timer.Arm(_loop.NowNs + 1 + _random.NextInt64(2 * _meanPauseNs));
    }

    private bool TryQueue()
    {
        var request = _requests.Find(candidate => candidate.State == RequestState.Free);
        if (request is null)
        {
            return false;
        }

        var op = PickOp();
        var count = op == BlockOp.Flush ? 0 : 1 + _random.Next(GuestRequest.MaxSectors);

        // Sometimes beyond the end, which must be refused.
        var first = count == 0 ? 0 : _random.Next(Math.Max(1, Model.Sectors + 2 - count));
        if (Conflicts(op, first, count))
        {
            return false;
        }

        var flags = op is BlockOp.Write or BlockOp.WriteZeroes && _random.Chance(0.2) ? BlockFlags.Fua : BlockFlags.None;
        if (op == BlockOp.WriteZeroes && _random.Chance(0.5))
        {
            flags |= BlockFlags.MayUnmap;
        }

        request.Prepare(op, first, count, _nextStamp++, flags, _random);
        request.State = RequestState.Queued;
        _queue.AddLast(request);
        _left--;
        return true;
    }

    private BlockOp PickOp()
    {
        var pick = _random.NextDouble() * _weights.Sum();
        for (var op = 0; op < _weights.Length - 1; op++)
        {
            pick -= _weights[op];
            if (pick < 0)
            {
                return (BlockOp)op;
            }
        }

        return _weights[^1] > 0 ? BlockOp.WriteZeroes : BlockOp.Read;
    }

    /// <summary>As a file system: what is being written is neither read nor written by another request.</summary>
    private bool Conflicts(BlockOp op, int first, int count)
        => _requests.Exists(other => other.State != RequestState.Free
            && other.Op != BlockOp.Flush
            && (op != BlockOp.Read || other.Op != BlockOp.Read)
            && first < other.FirstSector + other.SectorCount
            && other.FirstSector < first + count);
}
