namespace Qmp.Block;

/// <summary>What a request asks for.</summary>
public enum BlockOp
{
    /// <summary>Fill the segments from the node.</summary>
    Read,

    /// <summary>Write the segments to the node.</summary>
    Write,

    /// <summary>Make everything that completed before durable. Offset and length do not matter.</summary>
    Flush,

    /// <summary>The content of the range is not needed any more. Advice: it may be ignored.</summary>
    Discard,

    /// <summary>Make the range read as zeroes.</summary>
    WriteZeroes,
}

/// <summary>How a request is to be done.</summary>
[Flags]
public enum BlockFlags
{
    /// <summary>Nothing special.</summary>
    None = 0,

    /// <summary>Durable before it completes (write, write zeroes).</summary>
    Fua = 1,

    /// <summary>Write zeroes: storage may be given back.</summary>
    MayUnmap = 2,

    /// <summary>Write zeroes: fail with <c>-ENOTSUP</c> rather than write buffers full of zeroes.</summary>
    NoFallback = 4,

    /// <summary>No other write may overlap it while it runs.</summary>
    Serialising = 8,

    /// <summary>The write does not change what guests read (copy on read, stream).</summary>
    WriteUnchanged = 16,

    /// <summary>Nothing else of its feeder is under way or waits, a hint: what can be done at once is not queued to go with others.</summary>
    Alone = 32,
}
