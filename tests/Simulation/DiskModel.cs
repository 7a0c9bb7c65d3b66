namespace Simulation;

/// <summary>
/// What each sector of a disk may contain. A sector holds one number, repeated; after a failed write it may hold the
/// old or the new one. Reads are compared with it, and settle it.
/// </summary>
internal sealed class DiskModel
{
    public const int SectorSize = 512;

    private readonly List<List<ulong>> _permitted = [];

    public DiskModel(int sectors) => Resize(sectors);

    public int Sectors => _permitted.Count;

    public void Resize(int sectors)
    {
        if (sectors < _permitted.Count)
        {
            _permitted.RemoveRange(sectors, _permitted.Count - sectors);
        }

        while (_permitted.Count < sectors)
        {
            _permitted.Add([0]);
        }
    }

    public void Written(int first, int count, ulong stamp)
    {
        for (var sector = first; sector < Math.Min(first + count, Sectors); sector++)
        {
            _permitted[sector] = [stamp];
        }
    }

    /// <summary>A write that failed, or advice that may have been taken.</summary>
    public void MaybeWritten(int first, int count, ulong stamp)
    {
        for (var sector = first; sector < Math.Min(first + count, Sectors); sector++)
        {
            if (!_permitted[sector].Contains(stamp))
            {
                _permitted[sector].Add(stamp);
            }
        }
    }

    /// <summary>Checks what was read; afterwards only that is permitted.</summary>
    public void Read(int first, ReadOnlySpan<ulong> words, string who)
    {
        const int perSector = SectorSize / sizeof(ulong);
        for (var i = 0; i * perSector < words.Length; i++)
        {
            var sector = words.Slice(i * perSector, perSector);
            var stamp = sector[0];
            SimulationFailure.Unless(
                sector.IndexOfAnyExcept(stamp) < 0, $"{who}: sector {first + i} is torn");
            SimulationFailure.Unless(
                _permitted[first + i].Contains(stamp),
                $"{who}: sector {first + i} holds {stamp}, permitted: {string.Join(' ', _permitted[first + i])}");
            _permitted[first + i] = [stamp];
        }
    }
}
