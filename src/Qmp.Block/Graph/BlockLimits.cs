namespace Qmp.Block;

/// <summary>What a node's driver can take, in bytes; stated once at open and enforced by the block layer.</summary>
/// <param name="RequestAlignment">Offsets and lengths of requests must be multiples of this power of two; the block layer pads.</param>
/// <param name="MinMemoryAlignment">Buffers must start at multiples of this; the block layer copies.</param>
/// <param name="OptimalMemoryAlignment">Buffers had better start at multiples of this.</param>
/// <param name="MaxSegments">Segments that one operation takes; longer lists are served in pieces.</param>
public sealed record BlockLimits(int RequestAlignment, int MinMemoryAlignment, int OptimalMemoryAlignment, int MaxSegments)
{
    /// <summary>Of nodes that take any request.</summary>
    public static BlockLimits Any { get; } = new(1, 512, 4096, 1024);

    /// <summary>Discards work in units of this many bytes; 0: not said.</summary>
    public int DiscardAlignment { get; init; }

    /// <summary>Writing zeroes works in units of this many bytes; 0: not said.</summary>
    public int WriteZeroesAlignment { get; init; }
}
