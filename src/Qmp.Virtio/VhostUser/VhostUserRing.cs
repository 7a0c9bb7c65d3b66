using Qmp.Aio;
using Qmp.Virtio.Blk;
using Qmp.Virtio.Queues;

namespace Qmp.Virtio.VhostUser;

/// <summary>What a connection has said about one ring, and the queue that serves it once it is started.</summary>
/// <remarks>Loop.</remarks>
internal sealed class VhostUserRing(int index)
{
    /// <summary>Number of the ring.</summary>
    public int Index { get; } = index;

    /// <summary>Entries; 0 while unknown.</summary>
    public int Size { get; set; }

    /// <summary>Where to go on in the available ring.</summary>
    public uint Base { get; set; }

    /// <summary>Where the rings are, once known.</summary>
    public RingAddresses? Addresses { get; set; }

    /// <summary>What the driver signals.</summary>
    public AioEventFd? Kick { get; private set; }

    /// <summary>What the driver waits for; null when it polls.</summary>
    public AioEventFd? Call { get; private set; }

    /// <summary>What is signalled when the ring breaks.</summary>
    public AioEventFd? Error { get; private set; }

    /// <summary>SET_VRING_ENABLE, or true when the front end knows no such message.</summary>
    public bool Enabled { get; set; }

    /// <summary>The queue, from SET_VRING_KICK to GET_VRING_BASE.</summary>
    public VirtioBlkQueue? Queue { get; set; }

    /// <summary>Replaces the kick event; the queue must not be watching the old one.</summary>
    public void SetKick(AioEventFd? value)
    {
        Kick?.Dispose();
        Kick = value;
    }

    /// <summary>Replaces the call event.</summary>
    public void SetCall(AioEventFd? value)
    {
        Queue?.SetCall(value);
        Call?.Dispose();
        Call = value;
    }

    /// <summary>Replaces the error event.</summary>
    public void SetError(AioEventFd? value)
    {
        Error?.Dispose();
        Error = value;
    }

    /// <summary>Closes everything; the queue is idle.</summary>
    public void Dispose()
    {
        Queue?.Dispose();
        Queue = null;
        SetKick(null);
        Call?.Dispose();
        Call = null;
        SetError(null);
    }
}
