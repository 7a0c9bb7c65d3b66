using Qmp.Aio;

namespace Qmp.Testing.VhostUser;

/// <summary>A buffer of a chain.</summary>
/// <param name="Address">Guest physical address.</param>
/// <param name="Length">Length in bytes.</param>
/// <param name="Write">True when the device writes it.</param>
public readonly record struct RingBuffer(ulong Address, uint Length, bool Write);

/// <summary>The driver's side of a virtqueue. Well-behaved unless told otherwise; the rings can be spoiled by hand.</summary>
public abstract unsafe class RingDriver : IDisposable
{
    protected RingDriver(GuestRam ram, int size, bool eventIndex)
    {
        Ram = ram;
        Size = size;
        EventIndex = eventIndex;
    }

    public GuestRam Ram { get; }

    public int Size { get; }

    public bool EventIndex { get; }

    public AioEventFd Kick { get; } = new();

    public AioEventFd Call { get; } = new();

    public AioEventFd Error { get; } = new();

    public abstract bool Packed { get; }

    /// <summary>Addresses for SET_VRING_ADDR, in this process's address space.</summary>
    public abstract (ulong Descriptors, ulong Available, ulong Used) Addresses { get; }

    /// <summary>What a driver that starts afresh gives as SET_VRING_BASE.</summary>
    public abstract uint FirstBase { get; }

    /// <summary>Number of kicks that the device asked for and got.</summary>
    public int Kicks { get; protected set; }

    /// <summary>Adds a chain; it is not visible before <see cref="Publish"/>.</summary>
    /// <returns>What the used entry will name.</returns>
    public abstract int Add(ReadOnlySpan<RingBuffer> buffers, bool indirect);

    /// <summary>Number of descriptors that can still be added.</summary>
    public abstract int Free { get; }

    /// <summary>Makes added chains visible; true when the device asked for a kick.</summary>
    public abstract bool Publish();

    /// <summary>Makes added chains visible and kicks if asked, or always.</summary>
    public void PublishAndKick(bool always = false)
    {
        if (Publish() || always)
        {
            Kicks++;
            Kick.Signal();
        }
    }

    /// <summary>Takes one used entry.</summary>
    public abstract bool TryTakeUsed(out int id, out uint written);

    /// <summary>Asks for a call at the next used entry; true when there is one already.</summary>
    public abstract bool ArmCall();

    /// <summary>Asks for no calls.</summary>
    public abstract void DisarmCall();

    /// <summary>Waits for a used entry, by the call event.</summary>
    public (int Id, uint Written) WaitUsed(TimeSpan? timeout = null)
    {
        long end = Environment.TickCount64 + (long)(timeout ?? TimeSpan.FromSeconds(10)).TotalMilliseconds;
        while (true)
        {
            if (TryTakeUsed(out int id, out uint written))
            {
                return (id, written);
            }
            if (ArmCall())
            {
                continue;
            }
            long left = end - Environment.TickCount64;
            if (left <= 0 || !FrontEnd.PollIn(Call.Fd, (int)left))
            {
                throw new TimeoutException("The device used no chain in time.");
            }
            Call.Drain();
        }
    }

    public void Dispose()
    {
        Kick.Dispose();
        Call.Dispose();
        Error.Dispose();
    }

    /// <summary>Makes a ring of the wanted kind.</summary>
    public static RingDriver Create(GuestRam ram, int size, bool packed, bool eventIndex) =>
        packed ? new PackedRingDriver(ram, size, eventIndex) : new SplitRingDriver(ram, size, eventIndex);
}
