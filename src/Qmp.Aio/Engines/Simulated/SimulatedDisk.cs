namespace Qmp.Aio;

/// <summary>
/// A disk in memory with a volatile write cache. Reads see what was written last. Power loss keeps, sector by sector,
/// what was flushed or any of what was written after it: in any order, and torn at sector size. Everything happens on
/// the thread of the simulation.
/// </summary>
public sealed class SimulatedDisk : ISimulatedStorage
{
    /// <summary>What the disk writes as a whole, in bytes.</summary>
    public const int SectorSize = 512;

    private readonly Simulation _simulation;
    private readonly SimulationRandom _random;

    // Per sector what was written since the last flush that covers it, oldest first; the durable content below it.
    private readonly Dictionary<long, List<Version>> _volatile = [];
    private byte[] _content;
    private byte[] _durable;
    private long _sequence;

    internal SimulatedDisk(Simulation simulation, int fd, long length, SimulationRandom random)
    {
        _simulation = simulation;
        _random = random;
        Fd = fd;
        _content = new byte[length];
        _durable = new byte[length];
    }

    /// <summary>What simulated engines know it by; not a descriptor of the system.</summary>
    public int Fd { get; }

    /// <summary>Length in bytes.</summary>
    public long Length => _content.Length;

    /// <summary>What a read would see now.</summary>
    public ReadOnlySpan<byte> Content => _content;

    /// <summary>Sectors that a power loss could take back.</summary>
    public int VolatileSectors => _volatile.Count;

    /// <summary>Operations submitted and not over.</summary>
    public int InFlight => _simulation.Pending.Count(operation => ReferenceEquals(operation.Storage, this));

    /// <summary>Grows with zeroes or shrinks; durable at once, as metadata of a journalled file system.</summary>
    public void SetLength(long length)
    {
        Array.Resize(ref _content, checked((int)length));
        Array.Resize(ref _durable, checked((int)length));
        foreach (var sector in _volatile.Keys.Where(sector => sector * SectorSize >= length).ToList())
        {
            _volatile.Remove(sector);
        }
    }

    /// <summary>
    /// The power fails and comes back. What is in flight is forgotten: its requests never complete, and their loops
    /// must not be used any more.
    /// </summary>
    public void LosePower()
    {
        foreach (var operation in _simulation.Pending.Where(operation => ReferenceEquals(operation.Storage, this)).ToList())
        {
            _simulation.Pending.Remove(operation);
            operation.TearApart();
        }

        foreach (var (sector, versions) in _volatile)
        {
            var survivor = _random.Next(versions.Count + 1);
            if (survivor > 0)
            {
                Settle(sector, versions[survivor - 1].Data);
            }
        }

        _volatile.Clear();
        _durable.CopyTo(_content, 0);
    }

    /// <inheritdoc/>
    long ISimulatedStorage.Sequence => _sequence;

    /// <inheritdoc/>
    int ISimulatedStorage.Read(long offset, Span<byte> target)
    {
        if (offset >= Length)
        {
            return 0;
        }

        var count = (int)Math.Min(target.Length, Length - offset);
        _content.AsSpan((int)offset, count).CopyTo(target);
        return count;
    }

    /// <inheritdoc/>
    int ISimulatedStorage.Write(long offset, ReadOnlySpan<byte> source)
    {
        if (offset + source.Length > Length)
        {
            SetLength(offset + source.Length);
        }

        source.CopyTo(_content.AsSpan((int)offset));
        _sequence++;
        for (var sector = offset / SectorSize; sector * SectorSize < offset + source.Length; sector++)
        {
            if (!_volatile.TryGetValue(sector, out var versions))
            {
                _volatile[sector] = versions = [];
            }

            versions.Add(new Version(_sequence, SectorContent(sector)));
        }

        return source.Length;
    }

    /// <inheritdoc/>
    int ISimulatedStorage.Allocate(int mode, long offset, long length)
    {
        if ((mode & (Libc.FALLOC_FL_PUNCH_HOLE | Libc.FALLOC_FL_ZERO_RANGE)) == 0)
        {
            if ((mode & Libc.FALLOC_FL_KEEP_SIZE) == 0 && Length < offset + length)
            {
                SetLength(offset + length);
            }

            return 0;
        }

        var count = Math.Min(length, Length - offset);
        return count > 0 ? Math.Min(0, ((ISimulatedStorage)this).Write(offset, new byte[count])) : 0;
    }

    /// <inheritdoc/>
    void ISimulatedStorage.MakeDurable(long upToSequence, long offset, long length)
    {
        foreach (var sector in _volatile.Keys.ToList())
        {
            if (sector * SectorSize < offset - SectorSize + 1 || sector * SectorSize - offset >= length)
            {
                continue;
            }

            var versions = _volatile[sector];
            var last = versions.FindLastIndex(version => version.Sequence <= upToSequence);
            if (last >= 0)
            {
                Settle(sector, versions[last].Data);
                versions.RemoveRange(0, last + 1);
                if (versions.Count == 0)
                {
                    _volatile.Remove(sector);
                }
            }
        }
    }

    private void Settle(long sector, byte[] data)
    {
        // The disk may have shrunk to the middle of the sector since.
        var target = _durable.AsSpan((int)(sector * SectorSize));
        data.AsSpan(0, Math.Min(data.Length, target.Length)).CopyTo(target);
    }

    private byte[] SectorContent(long sector)
    {
        var start = sector * SectorSize;
        return _content[(int)start..(int)Math.Min(start + SectorSize, Length)];
    }

    private readonly record struct Version(long Sequence, byte[] Data);
}
