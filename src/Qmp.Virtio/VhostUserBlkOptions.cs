namespace Qmp.Virtio;

/// <summary>What a vhost-user-blk export is made with; checked by whoever takes the options from a user.</summary>
public sealed class VhostUserBlkOptions
{
    /// <summary>The export's id; the first 20 bytes of it are the disk's serial.</summary>
    public required string Id { get; init; }

    /// <summary>Number of request queues, 1 to 256.</summary>
    public int NumQueues { get; init; } = 1;

    /// <summary>Logical block size in bytes: a power of two from 512.</summary>
    public uint LogicalBlockSize { get; init; } = 512;

    /// <summary>Whether a guest may write.</summary>
    public bool Writable { get; init; }

    /// <summary>Whether every write is durable when it completes.</summary>
    public bool WriteThrough { get; init; }

    /// <summary>Whether the node may not move to another loop while it is exported.</summary>
    public bool FixedContext { get; init; }
}
