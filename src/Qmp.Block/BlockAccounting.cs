namespace Qmp.Block;

/// <summary>Counts of one kind of request.</summary>
public struct BlockOperationStats
{
    /// <summary>Completed without error.</summary>
    public long Operations;

    /// <summary>Bytes of those.</summary>
    public long Bytes;

    /// <summary>Completed with an error.</summary>
    public long Failed;

    /// <summary>Refused before they started: out of bounds, read-only.</summary>
    public long Invalid;

    /// <summary>Sum of their durations in nanoseconds, if <see cref="BlockAccounting.MeasuresTime"/>.</summary>
    public long TotalTimeNs;
}

/// <summary>
/// Counts of a backend. Written on its home loop only; other threads read single values, each of them right, the set
/// not of one moment.
/// </summary>
public sealed class BlockAccounting
{
    private readonly BlockOperationStats[] _kinds = new BlockOperationStats[5];

    /// <summary>Whether durations are measured: two clock reads per request. <b>Any</b>.</summary>
    public bool MeasuresTime { get; set; }

    /// <summary>Copy of the counts of one kind. <b>Any</b>.</summary>
    public BlockOperationStats Of(BlockOp op)
    {
        ref var kind = ref _kinds[(int)op];
        return new BlockOperationStats
        {
            Operations = Volatile.Read(ref kind.Operations),
            Bytes = Volatile.Read(ref kind.Bytes),
            Failed = Volatile.Read(ref kind.Failed),
            Invalid = Volatile.Read(ref kind.Invalid),
            TotalTimeNs = Volatile.Read(ref kind.TotalTimeNs),
        };
    }

    internal ref BlockOperationStats Kind(BlockOp op) => ref _kinds[(int)op];
}
