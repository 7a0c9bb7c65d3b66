using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Qmp.Aio;
using Qmp.Virtio.Memory;

namespace Qmp.Virtio.Queues;

/// <summary>
/// The device's side of a virtqueue: takes chains from the driver, gives them back used. Knows no device and no
/// eventfd, trusts nothing that the driver wrote, and allocates nothing after it was made.
/// </summary>
/// <remarks>
/// <para>Loop: everything here belongs to the loop that serves the disk.</para>
/// <para>
/// A violation of the protocol never throws: the queue is <see cref="Broken"/> with a reason, takes nothing any more,
/// and its owner tells the front end.
/// </para>
/// </remarks>
internal abstract unsafe class Virtqueue : IDisposable
{
    /// <summary>The largest queue; QEMU's limit too.</summary>
    public const int MaxSize = 1024;

    /// <summary><see cref="Pop"/>: nothing available.</summary>
    public const int Empty = -1;

    /// <summary>
    /// Windows drivers build indirect chains of up to 515 descriptors however short the queue is, so a segment list
    /// holds the greater of this and the queue's size.
    /// </summary>
    public const int WindowsChainLength = 515;

    private readonly byte* _chains;
    private readonly Iovec* _overflow;
    private readonly nuint _overflowBytes;
    private readonly ushort* _pendingSlots;
    private readonly uint* _pendingLengths;
    private bool _disposed;

    /// <summary>Prepares a queue of a given size.</summary>
    protected Virtqueue(VirtqueueSetup setup)
    {
        Size = setup.Size;
        Memory = setup.Memory;
        EventIndex = setup.EventIndex;
        IndirectAllowed = setup.Indirect;
        MaxSegments = Math.Max(Size, WindowsChainLength);
        _chains = (byte*)NativeMemory.AlignedAlloc((nuint)(Size * sizeof(VirtqueueChain)), 64);
        NativeMemory.Clear(_chains, (nuint)(Size * sizeof(VirtqueueChain)));
        // Anonymous memory costs nothing until a chain is long enough to touch it.
        _overflowBytes = (nuint)((long)Size * MaxSegments * sizeof(Iovec));
        void* overflow = Libc.Mmap(
            _overflowBytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_NORESERVE, -1, 0, out _);
        if (overflow == null)
        {
            NativeMemory.AlignedFree(_chains);
            throw new InsufficientMemoryException("Could not allocate the segment lists of a virtqueue");
        }
        _overflow = (Iovec*)overflow;
        _pendingSlots = (ushort*)NativeMemory.AllocZeroed((nuint)Size, sizeof(ushort));
        _pendingLengths = (uint*)NativeMemory.AllocZeroed((nuint)Size, sizeof(uint));
    }

    /// <summary>Number of entries, 1 to <see cref="MaxSize"/>; a power of two for split rings.</summary>
    public int Size { get; }

    /// <summary>Longest chain accepted, in segments of host memory.</summary>
    public int MaxSegments { get; }

    /// <summary>Chains that were taken and not yet published as used.</summary>
    public int InFlight { get; private set; }

    /// <summary>Why the queue is broken; null while it works.</summary>
    public string? Broken { get; private set; }

    /// <summary>True when used entries wait for <see cref="Flush"/>.</summary>
    public bool HasPending => PendingCount != 0;

    /// <summary>True when the memory of the guest was truncated under us.</summary>
    public bool MemoryHasVanished => Memory.HasVanished;

    /// <summary>The guest's memory.</summary>
    protected GuestMemory Memory { get; }

    /// <summary>VIRTIO_F_EVENT_IDX was negotiated.</summary>
    protected bool EventIndex { get; }

    /// <summary>VIRTIO_F_INDIRECT_DESC was negotiated.</summary>
    protected bool IndirectAllowed { get; }

    /// <summary>Used entries waiting for <see cref="Flush"/>.</summary>
    protected int PendingCount { get; private set; }

    /// <summary>The last indirect table taken, for prefetching only; it may be gone.</summary>
    protected void* LastTable { get; private set; }

    /// <summary>What GET_VRING_BASE reports, so that the next back end goes on here.</summary>
    public abstract uint Base { get; }

    /// <summary>True when the driver has made a chain available that was not taken yet: one load, for polling.</summary>
    public abstract bool HasAvailable { get; }

    /// <summary>About how many chains are available: a hint for the size of batches.</summary>
    public abstract int AvailableHint { get; }

    /// <summary>Points the queue at its rings, which may have moved with the memory table.</summary>
    /// <param name="addresses">Addresses in the front end's address space.</param>
    /// <returns>False when they do not lie in guest memory or are not aligned; the queue must not be used then.</returns>
    public abstract bool TryAttach(in RingAddresses addresses);

    /// <summary>Sets the place in the available ring to go on from, before the first <see cref="Pop"/>.</summary>
    public abstract void SetBase(uint value);

    /// <summary>
    /// Takes over a queue's part of the in-flight region and brings it up to date after a crash (vhost-user,
    /// "Inflight I/O tracking"). Call after <see cref="TryAttach"/> and <see cref="SetBase"/>.
    /// </summary>
    /// <param name="region">The queue's part of the shared buffer.</param>
    /// <param name="resubmit">Receives the number of chains that <see cref="PopInflight"/> has to give.</param>
    /// <returns>False when the region does not fit the queue or makes no sense.</returns>
    public abstract bool TryRecover(byte* region, out int resubmit);

    /// <summary>Takes the next chain that was in flight when the previous back end died, oldest first.</summary>
    /// <returns>A slot, or <see cref="Empty"/>.</returns>
    public abstract int PopInflight();

    /// <summary>Marks the in-flight region as void: the queue was stopped in good order and its state is in the base.</summary>
    public abstract void RetireInflight();

    /// <summary>Takes the next chain from the driver.</summary>
    /// <returns>A slot for <see cref="Chain"/> and <see cref="Push"/>; <see cref="Empty"/> when there is none or the queue is broken.</returns>
    public abstract int Pop();

    /// <summary>Asks the driver not to kick, as far as it listens; it may still do so.</summary>
    public abstract void DisableKicks();

    /// <summary>Asks for a kick at the next chain.</summary>
    /// <returns>True when chains became available in between: the caller has to look again.</returns>
    public abstract bool EnableKicks();

    /// <summary>The chain in a slot.</summary>
    public VirtqueueChain* Chain(int slot) => (VirtqueueChain*)_chains + slot;

    /// <summary>Gives a chain back. The driver sees it at the next <see cref="Flush"/>.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="written">Bytes written to the chain.</param>
    public void Push(int slot, uint written)
    {
        _pendingSlots[PendingCount] = (ushort)slot;
        _pendingLengths[PendingCount] = written;
        PendingCount++;
    }

    /// <summary>Gives up a chain that makes no sense: it is never returned, and its slot stays taken.</summary>
    public void Abandon(string reason)
    {
        Break(reason);
        InFlight--;
    }

    /// <summary>Publishes everything that was pushed, as one batch.</summary>
    /// <returns>True when the driver asked to be called.</returns>
    public bool Flush()
    {
        int count = PendingCount;
        if (count == 0)
        {
            return false;
        }
        for (int i = 0; i < count; i++)
        {
            Chain(_pendingSlots[i])->Busy = false;
        }
        bool call = Publish(_pendingSlots, _pendingLengths, count);
        PendingCount = 0;
        InFlight -= count;
        return call;
    }

    /// <summary>Breaks the queue: nothing more is taken from it. The first reason stays.</summary>
    public int Break(string reason)
    {
        Broken ??= reason;
        return Empty;
    }

    /// <summary>Frees what the queue owns; nothing may be in flight.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        NativeMemory.AlignedFree(_chains);
        _ = Libc.Munmap(_overflow, _overflowBytes);
        NativeMemory.Free(_pendingSlots);
        NativeMemory.Free(_pendingLengths);
    }

    /// <summary>Makes a queue of the negotiated kind.</summary>
    public static Virtqueue Create(VirtqueueSetup setup) => setup.Packed ? new PackedVirtqueue(setup) : new SplitVirtqueue(setup);

    /// <summary>Writes used entries and makes them visible at once.</summary>
    /// <returns>True when the driver asked to be called.</returns>
    protected abstract bool Publish(ushort* slots, uint* lengths, int count);

    /// <summary>Starts filling a slot.</summary>
    protected VirtqueueChain* Begin(int slot, ushort id)
    {
        VirtqueueChain* chain = Chain(slot);
        chain->Segments = VirtqueueChain.Inline(chain);
        chain->OutBytes = 0;
        chain->InBytes = 0;
        chain->OutCount = 0;
        chain->InCount = 0;
        chain->Id = id;
        chain->RingEntries = 0;
        return chain;
    }

    /// <summary>The slot is complete and in flight from now on.</summary>
    protected void Commit(VirtqueueChain* chain)
    {
        chain->Busy = true;
        InFlight++;
    }

    /// <summary>Appends a descriptor (a copy that the driver cannot change any more) to a chain.</summary>
    /// <returns>False when the queue is broken by it.</returns>
    protected bool Append(int slot, VirtqueueChain* chain, ulong address, uint length, bool write)
    {
        if (length == 0)
        {
            Break("a descriptor has length zero");
            return false;
        }
        if (!write && chain->InCount != 0)
        {
            Break("a descriptor to read follows one to write");
            return false;
        }
        ref uint bytes = ref write ? ref chain->InBytes : ref chain->OutBytes;
        if (bytes + length < bytes)
        {
            Break("a descriptor chain is longer than 4 GiB");
            return false;
        }
        bytes += length;

        do
        {
            uint piece = Memory.Translate(address, length, out byte* host);
            if (piece == 0)
            {
                return BreakOutside(address);
            }
            int count = chain->OutCount + chain->InCount;
            if (count == VirtqueueChain.InlineSegments)
            {
                Iovec* overflow = _overflow + (long)slot * MaxSegments;
                new ReadOnlySpan<Iovec>(chain->Segments, count).CopyTo(new Span<Iovec>(overflow, count));
                chain->Segments = overflow;
            }
            else if (count == MaxSegments)
            {
                return BreakTooLong();
            }
            chain->Segments[count].Base = host;
            chain->Segments[count].Length = piece;
            if (write)
            {
                chain->InCount++;
            }
            else
            {
                chain->OutCount++;
            }
            address += piece;
            length -= piece;
        }
        while (length != 0);
        return true;
    }

    /// <summary>Appends the descriptors of an indirect table. Split tables are linked lists, packed ones plain arrays.</summary>
    /// <returns>False when the queue is broken by it.</returns>
    protected bool AppendIndirect(int slot, VirtqueueChain* chain, ulong address, uint length, bool packed)
    {
        if (!IndirectAllowed)
        {
            Break("an indirect descriptor was not negotiated");
            return false;
        }
        if (length == 0 || length % RingLayout.DescBytes != 0)
        {
            return BreakTable(address, length);
        }
        if (Memory.Translate(address, length, out byte* table) != length)
        {
            return BreakTable(address, length);
        }
        LastTable = table;
        uint entries = length / RingLayout.DescBytes;
        return packed ? AppendPackedTable(slot, chain, (PackedDesc*)table, entries) : AppendSplitTable(slot, chain, (SplitDesc*)table, entries);
    }

    // Apart from the hot methods, which would otherwise clear the space for these texts at every call.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool BreakOutside(ulong address)
    {
        Break($"a descriptor points to 0x{address:x}, outside guest memory");
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool BreakTooLong()
    {
        Break($"a descriptor chain has more than {MaxSegments} segments");
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool BreakTable(ulong address, uint length)
    {
        Break($"an indirect table of {length} bytes at 0x{address:x} has a bad size or is outside guest memory");
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool BreakLink(uint index, uint entries)
    {
        Break($"an indirect descriptor links to {index} of {entries}");
        return false;
    }

    private bool AppendSplitTable(int slot, VirtqueueChain* chain, SplitDesc* table, uint entries)
    {
        uint index = 0;
        // Every pass adds at least one segment, and their number is bounded: a loop of descriptors ends here.
        while (true)
        {
            SplitDesc desc = table[index];
            if ((desc.Flags & RingLayout.DescIndirect) != 0)
            {
                Break("an indirect table has an indirect descriptor");
                return false;
            }
            if (!Append(slot, chain, desc.Address, desc.Length, (desc.Flags & RingLayout.DescWrite) != 0))
            {
                return false;
            }
            if ((desc.Flags & RingLayout.DescNext) == 0)
            {
                return true;
            }
            index = desc.Next;
            if (index >= entries)
            {
                return BreakLink(index, entries);
            }
        }
    }

    private bool AppendPackedTable(int slot, VirtqueueChain* chain, PackedDesc* table, uint entries)
    {
        for (uint i = 0; i < entries; i++)
        {
            PackedDesc desc = table[i];
            if ((desc.Flags & RingLayout.DescIndirect) != 0)
            {
                Break("an indirect table has an indirect descriptor");
                return false;
            }
            if (!Append(slot, chain, desc.Address, desc.Length, (desc.Flags & RingLayout.DescWrite) != 0))
            {
                return false;
            }
        }
        return true;
    }
}

/// <summary>What a queue needs to be made.</summary>
/// <param name="Size">Entries.</param>
/// <param name="Memory">The guest's memory.</param>
/// <param name="Packed">VIRTIO_F_RING_PACKED.</param>
/// <param name="EventIndex">VIRTIO_F_EVENT_IDX.</param>
/// <param name="Indirect">VIRTIO_F_INDIRECT_DESC.</param>
internal sealed record VirtqueueSetup(int Size, GuestMemory Memory, bool Packed, bool EventIndex, bool Indirect);

/// <summary>Ring addresses as SET_VRING_ADDR gives them, in the front end's address space.</summary>
/// <param name="Descriptors">Descriptor table, or the packed ring.</param>
/// <param name="Available">Available ring, or the driver's event suppression structure.</param>
/// <param name="Used">Used ring, or the device's event suppression structure.</param>
internal readonly record struct RingAddresses(ulong Descriptors, ulong Available, ulong Used);
