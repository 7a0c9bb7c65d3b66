namespace Qmp.Aio;

/// <summary>Something that happens at a virtual time.</summary>
internal abstract class SimulatedOperation(long dueNs)
{
    public long DueNs { get; } = dueNs;

    public abstract SimulatedDisk? Disk { get; }

    /// <summary>Its time has come.</summary>
    public abstract void Happen();

    /// <summary>The power failed while it was in flight.</summary>
    public virtual void TearApart()
    {
    }
}

/// <summary>A blocking call of a worker thread.</summary>
internal sealed class SimulatedWork(long dueNs, WorkItem item) : SimulatedOperation(dueNs)
{
    public override SimulatedDisk? Disk => null;

    public override void Happen()
    {
        item.Execute();
        item.Complete();
    }
}

/// <summary>What kind of I/O.</summary>
internal enum SimulatedIoKind
{
    Read,
    Write,
    Flush,
    Zero,
    Extend,
}

/// <summary>One I/O operation on a simulated disk.</summary>
internal sealed unsafe class SimulatedIo : SimulatedOperation
{
    private readonly SimulatedEngine _engine;
    private readonly SimulationRandom _random;
    private readonly SimulatedIoKind _kind;
    private readonly AioRequest _request;
    private readonly Iovec* _segments;
    private readonly int _count;
    private readonly long _offset;
    private readonly long _length;
    private readonly bool _durable;
    private readonly int _error;
    private readonly long _transferred;
    private readonly long _sequenceAtSubmit;

    public SimulatedIo(
        SimulatedEngine engine,
        Simulation simulation,
        SimulatedDisk? disk,
        SimulatedIoKind kind,
        AioRequest request,
        Iovec* segments,
        int count,
        long offset,
        long length,
        bool durable,
        long dueNs)
        : base(dueNs)
    {
        _engine = engine;
        _random = simulation.Random;
        _kind = kind;
        _request = request;
        _segments = segments;
        _count = count;
        _offset = offset;
        _length = length;
        _durable = durable;
        Disk = disk;
        _transferred = length;
        if (disk is null)
        {
            _error = -Errno.EBADF;
            return;
        }

        _sequenceAtSubmit = disk.Sequence;
        if (_random.Chance(simulation.Faults.ErrorRate))
        {
            _error = -Errno.EIO;
        }
        else if (kind is SimulatedIoKind.Read or SimulatedIoKind.Write && length > SimulatedDisk.SectorSize
            && _random.Chance(simulation.Faults.ShortRate))
        {
            _transferred = (1 + _random.NextInt64((length - 1) / SimulatedDisk.SectorSize)) * SimulatedDisk.SectorSize;
        }
    }

    public override SimulatedDisk? Disk { get; }

    public override void Happen()
    {
        var result = _error;
        if (_error == 0)
        {
            result = Apply();
        }
        else if (Disk is not null)
        {
            TearApart();
        }

        _engine.Complete(_request, result);
    }

    public override void TearApart()
    {
        if (_kind is not (SimulatedIoKind.Write or SimulatedIoKind.Zero))
        {
            return;
        }

        // Any of its sectors may have made it.
        var data = _kind == SimulatedIoKind.Write ? Gather(_length) : new byte[_length];
        for (var position = 0L; position < _length;)
        {
            var piece = Math.Min(_length - position, SimulatedDisk.SectorSize - ((_offset + position) % SimulatedDisk.SectorSize));
            if (_offset + position + piece <= Disk!.Length && _random.Chance(0.5))
            {
                Disk.Write(_offset + position, data.AsSpan((int)position, (int)piece));
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
            case SimulatedIoKind.Write:
                Disk!.Write(_offset, Gather(_transferred));
                break;
            case SimulatedIoKind.Zero:
                var length = Math.Min(_length, Disk!.Length - _offset);
                if (length > 0)
                {
                    Disk.Write(_offset, new byte[length]);
                }

                return 0;
            case SimulatedIoKind.Extend:
                if (Disk!.Length < _offset + _length)
                {
                    Disk.SetLength(_offset + _length);
                }

                return 0;
            default:
                // The least that a flush promises: what had completed when it was submitted.
                Disk!.MakeDurable(_sequenceAtSubmit);
                return 0;
        }

        if (_durable)
        {
            Disk.MakeDurable(long.MaxValue, _offset, _transferred);
        }

        return (int)_transferred;
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
            var got = Disk!.Read(_offset + total, new Span<byte>(_segments[i].Base, wanted));
            total += got;
            if (got < wanted)
            {
                break;
            }
        }

        return total;
    }
}
