using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Qmp.Virtio.Queues;

/// <summary>The split virtqueue: virtio 1.2, section 2.7. The slot of a chain is its head descriptor's index.</summary>
internal sealed unsafe class SplitVirtqueue : Virtqueue
{
    private readonly ushort _mask;

    // Rings in guest memory.
    private SplitDesc* _desc;
    private ushort* _availFlags;
    private ushort* _availIdx;
    private ushort* _availRing;
    private ushort* _usedEvent;
    private ushort* _usedFlags;
    private ushort* _usedIdx;
    private UsedElement* _usedRing;
    private ushort* _availEvent;

    private ushort _lastAvail;
    private ushort _seenAvail;
    private ushort _nextUsed;
    private ushort _signalledUsed;
    private bool _signalledUsedValid;

    // Of the last chain, for PrefetchLast only.
    private ushort _lastHead;
    private void* _lastHeader;

    private InflightLayout.SplitHeader* _inflight;
    private InflightLayout.SplitState* _states;
    private ulong _counter;
    private ushort[] _resubmit = [];
    private int _resubmitNext;

    public SplitVirtqueue(VirtqueueSetup setup)
        : base(setup)
    {
        _mask = (ushort)(setup.Size - 1);
    }

    /// <inheritdoc/>
    public override uint Base => _lastAvail;

    /// <inheritdoc/>
    public override bool HasAvailable => Volatile.Read(ref *_availIdx) != _lastAvail;

    /// <inheritdoc/>
    public override int AvailableHint => (ushort)(Volatile.Read(ref *_availIdx) - _lastAvail);

    /// <inheritdoc/>
    public override bool TryAttach(in RingAddresses addresses)
    {
        byte* desc = Memory.TranslateUser(addresses.Descriptors, (ulong)Size * RingLayout.DescBytes);
        byte* avail = Memory.TranslateUser(addresses.Available, RingLayout.AvailBytes(Size));
        byte* used = Memory.TranslateUser(addresses.Used, RingLayout.UsedBytes(Size));
        if (desc == null || avail == null || used == null || ((nuint)desc & 15) != 0 || ((nuint)avail & 1) != 0 || ((nuint)used & 3) != 0)
        {
            return false;
        }
        _desc = (SplitDesc*)desc;
        _availFlags = (ushort*)avail;
        _availIdx = _availFlags + 1;
        _availRing = _availFlags + 2;
        _usedEvent = _availRing + Size;
        _usedFlags = (ushort*)used;
        _usedIdx = _usedFlags + 1;
        _usedRing = (UsedElement*)(used + 4);
        _availEvent = (ushort*)(_usedRing + Size);
        _nextUsed = Volatile.Read(ref *_usedIdx);
        return true;
    }

    /// <inheritdoc/>
    public override void SetBase(uint value)
    {
        _lastAvail = (ushort)value;
        _seenAvail = _lastAvail;
        _signalledUsedValid = false;
    }

    /// <inheritdoc/>
    public override bool TryRecover(byte* region, out int resubmit)
    {
        resubmit = 0;
        var header = (InflightLayout.SplitHeader*)region;
        var states = (InflightLayout.SplitState*)(region + InflightLayout.SplitHeader.Bytes);
        bool fresh = header->Version == 0;
        if (fresh)
        {
            new Span<byte>(states, Size * (int)InflightLayout.SplitState.Bytes).Clear();
            header->Features = 0;
            header->DescNum = (ushort)Size;
            header->LastBatchHead = 0;
            header->UsedIdx = _nextUsed;
            Volatile.Write(ref header->Version, InflightLayout.Version);
        }
        else if (header->Version != InflightLayout.Version || header->DescNum != Size)
        {
            return false;
        }

        // The last batch may have been published without its marks being cleared.
        int batch = (ushort)(_nextUsed - header->UsedIdx);
        if (batch > Size)
        {
            return false;
        }
        ushort head = header->LastBatchHead;
        for (int i = 0; i < batch; i++)
        {
            if (head >= Size)
            {
                return false;
            }
            states[head].Inflight = 0;
            head = states[head].Next;
        }
        Volatile.Write(ref header->UsedIdx, _nextUsed);

        var heads = new List<(ulong Counter, ushort Head)>();
        for (int i = 0; i < Size; i++)
        {
            if (states[i].Inflight != 0)
            {
                heads.Add((states[i].Counter, (ushort)i));
            }
        }
        heads.Sort();
        _resubmit = [.. heads.Select(h => h.Head)];
        _resubmitNext = 0;
        _counter = heads.Count == 0 ? 0 : heads[^1].Counter + 1;

        if (!fresh)
        {
            // Chains are taken in order, so everything taken is either used or still in flight. The front end cannot
            // know better: it lost the back end without asking for the base.
            _lastAvail = (ushort)(_nextUsed + heads.Count);
            _seenAvail = _lastAvail;
        }
        _inflight = header;
        _states = states;
        resubmit = heads.Count;
        return true;
    }

    /// <inheritdoc/>
    public override int PopInflight()
    {
        if (_resubmitNext == _resubmit.Length || Broken != null)
        {
            return Empty;
        }
        return Take(_resubmit[_resubmitNext++]);
    }

    /// <inheritdoc/>
    public override void RetireInflight()
    {
        if (_inflight != null)
        {
            Volatile.Write(ref _inflight->Version, 0);
            _inflight = null;
            _states = null;
        }
    }

    /// <inheritdoc/>
    public override int Pop()
    {
        if (_lastAvail == _seenAvail)
        {
            ushort available = Volatile.Read(ref *_availIdx);
            int count = (ushort)(available - _lastAvail);
            if (count == 0 || Broken != null)
            {
                return Empty;
            }
            if (count > Size)
            {
                return BreakAvailable(available);
            }
            _seenAvail = available;
            if (count == 1)
            {
                PrefetchLast();
            }
        }
        if (Broken != null)
        {
            return Empty;
        }

        ushort head = _availRing[_lastAvail & _mask];
        if (head >= Size)
        {
            return BreakHead(head);
        }
        if (Chain(head)->Busy)
        {
            return Break("a descriptor was made available while in flight");
        }
        int slot = Take(head);
        if (slot >= 0)
        {
            _lastAvail++;
            if (_states != null)
            {
                // The mark is what a later back end goes by: it comes when the rest is in place.
                _states[head].Counter = _counter++;
                CrashPoint.Reached();
                Volatile.Write(ref _states[head].Inflight, 1);
                CrashPoint.Reached();
            }
        }
        return slot;
    }

    /// <inheritdoc/>
    public override void DisableKicks()
    {
        if (!EventIndex)
        {
            *_usedFlags = RingLayout.NoNotification;
        }
        else if (!HasAvailable)
        {
            // The driver kicks when it passes the index named last. With work waiting that lies behind already; else it would
            // kick for the very next request.
            *_availEvent = (ushort)(_lastAvail - 1);
        }
    }

    /// <inheritdoc/>
    public override bool EnableKicks()
    {
        if (EventIndex)
        {
            *_availEvent = _lastAvail;
        }
        else
        {
            *_usedFlags = 0;
        }
        // Store before load: the driver does the reverse, so one of the two sees the other.
        Interlocked.MemoryBarrier();
        return HasAvailable;
    }

    /// <inheritdoc/>
    protected override bool Publish(ushort* slots, uint* lengths, int count)
    {
        ushort next = _nextUsed;
        for (int i = 0; i < count; i++)
        {
            ushort head = slots[i];
            UsedElement* element = &_usedRing[next & _mask];
            element->Id = head;
            element->Length = lengths[i];
            next++;
            if (_states != null)
            {
                _states[head].Next = _inflight->LastBatchHead;
                CrashPoint.Reached();
                Volatile.Write(ref _inflight->LastBatchHead, head);
                CrashPoint.Reached();
            }
        }
        _nextUsed = next;
        Volatile.Write(ref *_usedIdx, next);
        CrashPoint.Reached();

        if (_states != null)
        {
            // After the index: a back end that starts between the two clears the marks of this batch by its list.
            for (int i = 0; i < count; i++)
            {
                Volatile.Write(ref _states[slots[i]].Inflight, 0);
                CrashPoint.Reached();
            }
            Volatile.Write(ref _inflight->UsedIdx, next);
            CrashPoint.Reached();
        }

        // The index must be visible before the driver's wish is read: see EnableKicks.
        Interlocked.MemoryBarrier();
        if (!EventIndex)
        {
            return (Volatile.Read(ref *_availFlags) & RingLayout.NoNotification) == 0;
        }
        ushort old = _signalledUsed;
        bool valid = _signalledUsedValid;
        _signalledUsed = next;
        _signalledUsedValid = true;
        return !valid || (ushort)(next - Volatile.Read(ref *_usedEvent) - 1) < (ushort)(next - old);
    }

    // A driver with one request at a time uses the same descriptor, table and header again, each of them just written by
    // another processor: fetched at once, with the used entry to fill, instead of one after the other. A lone read from the
    // page cache took 2 to 6 % less CPU. What was used last may be gone by now: prefetching never faults.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void PrefetchLast()
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(&_desc[_lastHead]);
            Sse.Prefetch0(LastTable);
            Sse.Prefetch0(_lastHeader);
            Sse.Prefetch0(&_usedRing[_nextUsed & _mask]);
        }
    }

    private int Take(ushort head)
    {
        _lastHead = head;
        VirtqueueChain* chain = Begin(head, head);
        ushort index = head;
        // Every pass adds at least one segment, and their number is bounded: a loop of descriptors ends here.
        while (true)
        {
            SplitDesc desc = _desc[index];
            if ((desc.Flags & RingLayout.DescIndirect) != 0)
            {
                if ((desc.Flags & RingLayout.DescNext) != 0)
                {
                    return Break("a descriptor is both indirect and linked");
                }
                if (!AppendIndirect(head, chain, desc.Address, desc.Length, packed: false))
                {
                    return Empty;
                }
                break;
            }
            if (!Append(head, chain, desc.Address, desc.Length, (desc.Flags & RingLayout.DescWrite) != 0))
            {
                return Empty;
            }
            if ((desc.Flags & RingLayout.DescNext) == 0)
            {
                break;
            }
            index = desc.Next;
            if (index >= Size)
            {
                return BreakHead(index);
            }
        }
        _lastHeader = chain->Segments->Base;
        Commit(chain);
        return head;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int BreakAvailable(ushort available) => Break($"the available index moved from {_lastAvail} to {available} in a queue of {Size}");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int BreakHead(ushort head) => Break($"a descriptor index is {head} in a queue of {Size}");
}
