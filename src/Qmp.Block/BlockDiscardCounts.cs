namespace Qmp.Block;

/// <summary>What became of discards. Written on one loop; other threads take a copy by <see cref="Read"/>.</summary>
public struct BlockDiscardCounts
{
    private long _done;
    private long _refused;
    private long _doneBytes;

    /// <summary>Carried out.</summary>
    public readonly long Done => _done;

    /// <summary>Refused by the file system or the device.</summary>
    public readonly long Refused => _refused;

    /// <summary>Bytes of those carried out.</summary>
    public readonly long DoneBytes => _doneBytes;

    /// <summary>A copy; each value is right, the set not of one moment. <b>Any</b>.</summary>
    internal BlockDiscardCounts Read() => new()
    {
        _done = Volatile.Read(ref _done),
        _refused = Volatile.Read(ref _refused),
        _doneBytes = Volatile.Read(ref _doneBytes),
    };

    /// <summary><b>Loop</b>. One discard ended.</summary>
    internal void Add(long bytes, bool isDone)
    {
        if (isDone)
        {
            _done++;
            _doneBytes += bytes;
        }
        else
        {
            _refused++;
        }
    }
}
