namespace Qmp.Virtio.Queues;

/// <summary>The packed virtqueue: virtio 1.2, section 2.8. Slots come from a free list; the buffer id is the driver's.</summary>
internal sealed unsafe class PackedVirtqueue : Virtqueue
{
    private const ushort WrapBit = 1 << 15;

    private readonly ushort[] _freeSlots;
    private int _freeCount;

    private PackedDesc* _ring;
    private PackedEvent* _driverEvent;
    private PackedEvent* _deviceEvent;

    private ushort _availIdx;
    private bool _availWrap = true;
    private ushort _usedIdx;
    private bool _usedWrap = true;
    private int _entriesSinceCall;
    private bool _calledBefore;

    private InflightLayout.PackedHeader* _inflight;
    private InflightLayout.PackedState* _states;
    private ulong _counter;
    private ushort[] _resubmit = [];
    private int _resubmitNext;

    public PackedVirtqueue(VirtqueueSetup setup)
        : base(setup)
    {
        _freeSlots = new ushort[setup.Size];
        for (int i = 0; i < setup.Size; i++)
        {
            _freeSlots[i] = (ushort)(setup.Size - 1 - i);
        }
        _freeCount = setup.Size;
    }

    /// <inheritdoc/>
    public override uint Base => (uint)(_availIdx | (_availWrap ? WrapBit : 0) | (_usedIdx << 16)) | (_usedWrap ? 1u << 31 : 0);

    /// <inheritdoc/>
    public override bool HasAvailable => IsAvailable(Volatile.Read(ref _ring[_availIdx].Flags), _availWrap);

    /// <inheritdoc/>
    public override int AvailableHint
    {
        get
        {
            // Nobody counts here; but entries become available in order, so a few looks ahead tell enough.
            int entries = 0;
            for (int step = 8; step < Size; step *= 2)
            {
                int index = _availIdx + step;
                bool wrap = _availWrap;
                if (index >= Size)
                {
                    index -= Size;
                    wrap = !wrap;
                }
                if (!IsAvailable(Volatile.Read(ref _ring[index].Flags), wrap))
                {
                    break;
                }
                entries = step;
            }
            return entries / 2;
        }
    }

    /// <inheritdoc/>
    public override bool TryAttach(in RingAddresses addresses)
    {
        byte* ring = Memory.TranslateUser(addresses.Descriptors, (ulong)Size * RingLayout.DescBytes);
        byte* driver = Memory.TranslateUser(addresses.Available, (ulong)sizeof(PackedEvent));
        byte* device = Memory.TranslateUser(addresses.Used, (ulong)sizeof(PackedEvent));
        if (ring == null || driver == null || device == null || ((nuint)ring & 15) != 0 || ((nuint)driver & 3) != 0 || ((nuint)device & 3) != 0)
        {
            return false;
        }
        _ring = (PackedDesc*)ring;
        _driverEvent = (PackedEvent*)driver;
        _deviceEvent = (PackedEvent*)device;
        return true;
    }

    /// <inheritdoc/>
    public override void SetBase(uint value)
    {
        _availIdx = (ushort)((value & 0x7FFF) % (uint)Size);
        _availWrap = (value & WrapBit) != 0;
        _usedIdx = (ushort)((value >> 16 & 0x7FFF) % (uint)Size);
        _usedWrap = (value & 1u << 31) != 0;
        _calledBefore = false;
    }

    /// <inheritdoc/>
    public override bool TryRecover(byte* region, out int resubmit)
    {
        resubmit = 0;
        var header = (InflightLayout.PackedHeader*)region;
        var states = (InflightLayout.PackedState*)(region + InflightLayout.PackedHeader.Bytes);
        if (header->Version == 0)
        {
            new Span<byte>(states, Size * (int)InflightLayout.PackedState.Bytes).Clear();
            for (int i = 0; i < Size; i++)
            {
                states[i].Next = (ushort)(i + 1);
            }
            header->Features = 0;
            header->DescNum = (ushort)Size;
            StoreFreeHeads(header, 0, 0);
            StoreUsed(header, _usedIdx, _usedIdx, _usedWrap, _usedWrap);
            Volatile.Write(ref header->Version, InflightLayout.Version);
            _inflight = header;
            _states = states;
            return true;
        }
        if (header->Version != InflightLayout.Version || header->DescNum != Size || header->UsedIdx >= Size || header->OldUsedIdx >= Size)
        {
            return false;
        }

        ushort used = header->OldUsedIdx;
        bool wrap = header->OldUsedWrapCounter != 0;
        ushort free = header->OldFreeHead;
        bool inDoubt = used != header->UsedIdx || wrap != (header->UsedWrapCounter != 0);
        if (inDoubt && IsUsed(Volatile.Read(ref _ring[used].Flags), wrap))
        {
            // The batch was published before the end: what is new is true.
            used = header->UsedIdx;
            wrap = header->UsedWrapCounter != 0;
            free = header->FreeHead;
        }
        StoreFreeHeads(header, free, free);
        StoreUsed(header, used, used, wrap, wrap);

        ushort entry = free;
        for (int i = 0; i <= Size && entry < Size; i++)
        {
            if (i == Size)
            {
                return false;
            }
            states[entry].Inflight = 0;
            entry = states[entry].Next;
        }

        var heads = new List<(ulong Counter, ushort Head)>();
        int entries = 0;
        for (int i = 0; i < Size; i++)
        {
            if (states[i].Inflight != 0)
            {
                heads.Add((states[i].Counter, (ushort)i));
                entries += states[i].Num;
                if (states[i].Num == 0 || states[i].Last >= Size)
                {
                    return false;
                }
            }
        }
        if (entries > Size)
        {
            return false;
        }
        heads.Sort();
        _resubmit = [.. heads.Select(h => h.Head)];
        _resubmitNext = 0;
        _counter = heads.Count == 0 ? 0 : heads[^1].Counter + 1;

        // Chains are taken in order, so everything taken is either used or still in flight. Entries of a batch
        // that was not published in full may already look used: the driver must not meet those later.
        _usedIdx = used;
        _usedWrap = wrap;
        _availIdx = used;
        _availWrap = wrap;
        for (int i = 0; i < entries; i++)
        {
            Volatile.Write(ref _ring[_availIdx].Flags, AvailableFlags(_availWrap));
            Advance(ref _availIdx, ref _availWrap, 1);
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
        if (_freeCount == 0)
        {
            return Break("more chains are in flight than the queue has entries");
        }
        ushort head = _resubmit[_resubmitNext++];
        int slot = _freeSlots[_freeCount - 1];
        VirtqueueChain* chain = Begin(slot, 0);
        chain->InflightHead = head;
        chain->RingEntries = _states[head].Num;
        ushort index = head;
        for (int i = 0; i < chain->RingEntries; i++)
        {
            if (index >= Size)
            {
                return Break("the in-flight region is damaged");
            }
            InflightLayout.PackedState state = _states[index];
            var desc = new PackedDesc { Address = state.Address, Length = state.Length, Id = state.Id, Flags = state.Flags };
            chain->Id = desc.Id;
            if (!AppendRingEntry(slot, chain, desc))
            {
                return Empty;
            }
            index = state.Next;
        }
        _freeCount--;
        Commit(chain);
        return slot;
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
        ushort index = _availIdx;
        bool wrap = _availWrap;
        if (!IsAvailable(Volatile.Read(ref _ring[index].Flags), wrap) || Broken != null)
        {
            return Empty;
        }
        if (_freeCount == 0)
        {
            return Break("more chains are in flight than the queue has entries");
        }
        int slot = _freeSlots[_freeCount - 1];
        VirtqueueChain* chain = Begin(slot, 0);
        ushort inflightHead = 0;
        if (_states != null)
        {
            inflightHead = _inflight->OldFreeHead;
            if (inflightHead >= Size)
            {
                return Break("more descriptors are in flight than the queue has");
            }
            _states[inflightHead].Num = 0;
            _states[inflightHead].Counter = _counter++;
            CrashPoint.Reached();
            Volatile.Write(ref _states[inflightHead].Inflight, 1);
            CrashPoint.Reached();
            chain->InflightHead = inflightHead;
        }

        // The driver makes the first descriptor available last, so the rest of the chain is in place.
        int entries = 0;
        while (true)
        {
            if (++entries > Size)
            {
                return Break("a descriptor chain is longer than the queue");
            }
            PackedDesc desc = _ring[index];
            bool last = (desc.Flags & RingLayout.DescNext) == 0;
            if (_states != null && !Record(inflightHead, desc, last))
            {
                return Empty;
            }
            if (!AppendRingEntry(slot, chain, desc))
            {
                return Empty;
            }
            Advance(ref index, ref wrap, 1);
            if (last)
            {
                chain->Id = desc.Id;
                break;
            }
        }
        chain->RingEntries = (ushort)entries;
        _availIdx = index;
        _availWrap = wrap;
        _freeCount--;
        Commit(chain);
        return slot;
    }

    /// <inheritdoc/>
    public override void DisableKicks() => Volatile.Write(ref _deviceEvent->Flags, RingLayout.EventDisable);

    /// <inheritdoc/>
    public override bool EnableKicks()
    {
        if (EventIndex)
        {
            _deviceEvent->OffsetAndWrap = (ushort)(_availIdx | (_availWrap ? WrapBit : 0));
            Volatile.Write(ref _deviceEvent->Flags, RingLayout.EventDescriptor);
        }
        else
        {
            Volatile.Write(ref _deviceEvent->Flags, RingLayout.EventEnable);
        }
        // Store before load: the driver does the reverse, so one of the two sees the other.
        Interlocked.MemoryBarrier();
        return HasAvailable;
    }

    /// <inheritdoc/>
    protected override bool Publish(ushort* slots, uint* lengths, int count)
    {
        ushort firstIdx = _usedIdx;
        bool firstWrap = _usedWrap;
        ushort idx = _usedIdx;
        bool wrap = _usedWrap;
        int entries = 0;
        for (int i = 0; i < count; i++)
        {
            VirtqueueChain* chain = Chain(slots[i]);
            Advance(ref idx, ref wrap, chain->RingEntries);
            entries += chain->RingEntries;
            if (_states != null)
            {
                ushort head = chain->InflightHead;
                ushort last = _states[head].Last;
                // The region is shared with the front end: an index read back from it is checked again.
                if (last < Size)
                {
                    _states[last].Next = _inflight->FreeHead;
                    CrashPoint.Reached();
                    Volatile.Write(ref _inflight->FreeHead, head);
                    CrashPoint.Reached();
                }
            }
        }
        if (_states != null)
        {
            StoreUsed(_inflight, idx, _inflight->OldUsedIdx, wrap, _inflight->OldUsedWrapCounter != 0);
            CrashPoint.Reached();
        }

        // The driver looks at the first entry: it becomes used last and takes the whole batch with it.
        for (int i = 0; i < count; i++)
        {
            VirtqueueChain* chain = Chain(slots[i]);
            PackedDesc* desc = &_ring[_usedIdx];
            desc->Id = chain->Id;
            desc->Length = lengths[i];
            if (i != 0)
            {
                Volatile.Write(ref desc->Flags, UsedFlags(_usedWrap, lengths[i]));
            }
            CrashPoint.Reached();
            Advance(ref _usedIdx, ref _usedWrap, chain->RingEntries);
            _freeSlots[_freeCount++] = slots[i];
        }
        Volatile.Write(ref _ring[firstIdx].Flags, UsedFlags(firstWrap, lengths[0]));
        CrashPoint.Reached();

        if (_states != null)
        {
            for (int i = 0; i < count; i++)
            {
                Volatile.Write(ref _states[Chain(slots[i])->InflightHead].Inflight, 0);
                CrashPoint.Reached();
            }
            ushort free = _inflight->FreeHead;
            StoreFreeHeads(_inflight, free, free);
            CrashPoint.Reached();
            StoreUsed(_inflight, idx, idx, wrap, wrap);
            CrashPoint.Reached();
        }

        // The entries must be visible before the driver's wish is read: see EnableKicks.
        Interlocked.MemoryBarrier();
        ushort flags = Volatile.Read(ref _driverEvent->Flags);
        _entriesSinceCall += entries;
        bool call;
        if (flags == RingLayout.EventDisable)
        {
            call = false;
        }
        else if (flags == RingLayout.EventDescriptor && EventIndex && _calledBefore && _entriesSinceCall <= Size)
        {
            ushort wanted = _driverEvent->OffsetAndWrap;
            // Distance back from the next used entry to the one that the driver named, in entries.
            int offset = wanted & 0x7FFF;
            int back = _usedIdx - offset + ((wanted & WrapBit) != 0 == _usedWrap ? 0 : Size);
            call = back >= 1 && back <= _entriesSinceCall;
        }
        else
        {
            call = true;
        }
        // What was once looked at is not looked at again: the driver re-arms with a later entry.
        _entriesSinceCall = 0;
        _calledBefore = true;
        return call;
    }

    private static bool IsAvailable(ushort flags, bool wrap) =>
        (flags & RingLayout.PackedAvail) != 0 == wrap && (flags & RingLayout.PackedUsed) != 0 != wrap;

    private static bool IsUsed(ushort flags, bool wrap) =>
        (flags & RingLayout.PackedAvail) != 0 == wrap && (flags & RingLayout.PackedUsed) != 0 == wrap;

    private static ushort AvailableFlags(bool wrap) => wrap ? RingLayout.PackedAvail : RingLayout.PackedUsed;

    private static ushort UsedFlags(bool wrap, uint written) =>
        (ushort)((wrap ? RingLayout.PackedAvail | RingLayout.PackedUsed : 0) | (written != 0 ? RingLayout.DescWrite : 0));

    // Both heads, and all four words of the used position, change in one store each: a reader after a crash sees
    // them all old or all new.
    private static void StoreFreeHeads(InflightLayout.PackedHeader* header, ushort free, ushort oldFree) =>
        Volatile.Write(ref *(uint*)((byte*)header + 12), free | (uint)oldFree << 16);

    private static void StoreUsed(InflightLayout.PackedHeader* header, ushort used, ushort oldUsed, bool wrap, bool oldWrap) =>
        Volatile.Write(
            ref *(ulong*)((byte*)header + 16),
            used | (ulong)oldUsed << 16 | (wrap ? 1UL << 32 : 0) | (oldWrap ? 1UL << 40 : 0));

    private void Advance(ref ushort index, ref bool wrap, int entries)
    {
        int next = index + entries;
        if (next >= Size)
        {
            next -= Size;
            wrap = !wrap;
        }
        index = (ushort)next;
    }

    private bool AppendRingEntry(int slot, VirtqueueChain* chain, PackedDesc desc)
    {
        if ((desc.Flags & RingLayout.DescIndirect) != 0)
        {
            if ((desc.Flags & RingLayout.DescNext) != 0)
            {
                Break("a descriptor is both indirect and linked");
                return false;
            }
            return AppendIndirect(slot, chain, desc.Address, desc.Length, packed: true);
        }
        return Append(slot, chain, desc.Address, desc.Length, (desc.Flags & RingLayout.DescWrite) != 0);
    }

    // Notes one descriptor of a chain in the in-flight region.
    private bool Record(ushort head, PackedDesc desc, bool last)
    {
        ushort entry = _inflight->FreeHead;
        if (entry >= Size)
        {
            Break("more descriptors are in flight than the queue has");
            return false;
        }
        InflightLayout.PackedState* state = &_states[entry];
        state->Address = desc.Address;
        state->Length = desc.Length;
        state->Id = desc.Id;
        state->Flags = desc.Flags;
        if (last)
        {
            _states[head].Last = entry;
        }
        CrashPoint.Reached();
        _states[head].Num++;
        ushort next = state->Next;
        if (last)
        {
            StoreFreeHeads(_inflight, next, next);
        }
        else
        {
            Volatile.Write(ref _inflight->FreeHead, next);
        }
        CrashPoint.Reached();
        return true;
    }
}
