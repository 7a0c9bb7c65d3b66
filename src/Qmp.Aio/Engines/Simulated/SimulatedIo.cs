namespace Qmp.Aio;

/// <summary>What kind of I/O.</summary>
internal enum SimulatedIoKind
{
    Read,
    Write,
    Flush,
    Allocate,
}

/// <summary>One I/O operation: what it does happens all at once, when it is due.</summary>
internal sealed unsafe class SimulatedIo : SimulatedOperation
{
    private readonly SimulatedEngine _engine;
    private readonly SimulationRandom _random;
    private readonly SimulatedIoKind _kind;
    private readonly ISimulatedStorage _storage;
    private readonly AioRequest _request;
    private readonly Iovec* _segments;
    private readonly int _count;
    private readonly long _offset;
    private readonly long _length;
    private readonly int _flags;
    private readonly bool _fails;
    private readonly long _transferred;
    private readonly long _sequenceAtSubmit;

    public SimulatedIo(
        SimulatedEngine engine,
        Simulation simulation,
        ISimulatedStorage storage,
        int fd,
        SimulatedIoKind kind,
        AioRequest request,
        Iovec* segments,
        int count,
        long offset,
        long length,
        int flags,
        long dueNs)
        : base(dueNs)
    {
        _engine = engine;
        _random = simulation.Random;
        _storage = storage;
        Fd = fd;
        _kind = kind;
        _request = request;
        _segments = segments;
        _count = count;
        _offset = offset;
        _length = length;
        _flags = flags;
        _transferred = length;
        _sequenceAtSubmit = storage.Sequence;
        if (_random.Chance(simulation.Faults.ErrorRate))
        {
            _fails = true;
        }
        else if (kind is SimulatedIoKind.Read or SimulatedIoKind.Write
            && length > SimulatedDisk.SectorSize
            && _random.Chance(simulation.Faults.ShortRate))
        {
            _transferred = (1 + _random.NextInt64((length - 1) / SimulatedDisk.SectorSize)) * SimulatedDisk.SectorSize;
        }
    }

    /// <summary>What it was submitted on.</summary>
    public int Fd { get; }

    public override ISimulatedStorage Storage => _storage;

    public override void Happen()
    {
        int result;
        if (_fails)
        {
            TearApart();
            result = -Errno.EIO;
        }
        else
        {
            result = Apply();
        }

        _engine.Complete(_request, result);
    }

    public override void TearApart()
    {
        if (_kind != SimulatedIoKind.Write)
        {
            return;
        }

        // Any of its sectors may have made it.
        var data = Gather(_length);
        for (var position = 0L; position < _length;)
        {
            var piece = Math.Min(_length - position, SimulatedDisk.SectorSize - ((_offset + position) % SimulatedDisk.SectorSize));
            if (_offset + position + piece <= _storage.Length && _random.Chance(0.5))
            {
                _ = _storage.Write(_offset + position, data.AsSpan((int)position, (int)piece));
            }

            position += piece;
        }
    }

    private int Apply()
    {
        switch (_kind)
        {
            case SimulatedIoKind.Read:
                return Scatter();
            case SimulatedIoKind.Allocate:
                return _storage.Allocate(_flags, _offset, _length);
            case SimulatedIoKind.Write:
                var result = _storage.Write(_offset, Gather(_transferred));
                if ((_flags & Libc.RWF_DSYNC) != 0)
                {
                    _storage.MakeDurable(long.MaxValue, _offset, _transferred);
                }

                return result;
            default:
                // The least that a flush promises: what had completed when it was submitted.
                _storage.MakeDurable(_sequenceAtSubmit, 0, long.MaxValue);
                return 0;
        }
    }

    private byte[] Gather(long length)
    {
        var data = new byte[length];
        var position = 0;
        for (var i = 0; i < _count && position < length; i++)
        {
            var piece = (int)Math.Min(length - position, (long)_segments[i].Length);
            new ReadOnlySpan<byte>(_segments[i].Base, piece).CopyTo(data.AsSpan(position));
            position += piece;
        }

        return data;
    }

    private int Scatter()
    {
        var total = 0;
        for (var i = 0; i < _count && total < _transferred; i++)
        {
            var wanted = (int)Math.Min(_transferred - total, (long)_segments[i].Length);
            var got = _storage.Read(_offset + total, new Span<byte>(_segments[i].Base, wanted));
            if (got < 0)
            {
                return total == 0 ? got : total;
            }

            total += got;
            if (got < wanted)
            {
                break;
            }
        }

        return total;
    }
}
