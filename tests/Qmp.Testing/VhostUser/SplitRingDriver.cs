namespace Qmp.Testing.VhostUser;

/// <summary>The driver's side of a split virtqueue.</summary>
public sealed unsafe class SplitRingDriver : RingDriver
{
    private readonly byte* _desc;
    private readonly byte* _avail;
    private readonly byte* _used;
    private readonly Stack<ushort> _free = new();
    private readonly ushort[] _chainLengths;
    private ushort _availIdx;
    private ushort _publishedIdx;
    private ushort _lastUsed;

    public SplitRingDriver(GuestRam ram, int size, bool eventIndex)
        : base(ram, size, eventIndex)
    {
        _desc = ram.Allocate(16 * size, 4096);
        _avail = ram.Allocate(6 + 2 * size, 64);
        _used = ram.Allocate(6 + 8 * size, 4096);
        for (int i = size - 1; i >= 0; i--)
        {
            _free.Push((ushort)i);
        }
        _chainLengths = new ushort[size];
    }

    public override bool Packed => false;

    public override (ulong Descriptors, ulong Available, ulong Used) Addresses => ((ulong)_desc, (ulong)_avail, (ulong)_used);

    public override uint FirstBase => 0;

    public override int Free => _free.Count;

    /// <summary>The published available index, for tests that lie about it.</summary>
    public ref ushort AvailIdx => ref *(ushort*)(_avail + 2);

    public ushort UsedIdx => Volatile.Read(ref *(ushort*)(_used + 2));

    public ushort UsedFlags => *(ushort*)_used;

    public ushort AvailEvent => *(ushort*)(_used + 4 + 8 * Size);

    /// <summary>The driver's own idea of how many entries it has published.</summary>
    public ushort Published => _publishedIdx;

    public ref ushort AvailRing(int index) => ref *(ushort*)(_avail + 4 + 2 * (index & (Size - 1)));

    public void WriteDescriptor(int index, ulong address, uint length, ushort flags, ushort next) =>
        WriteSplit(_desc + 16 * index, address, length, flags, next);

    public (ulong Address, uint Length, ushort Flags, ushort Next) ReadDescriptor(int index)
    {
        byte* d = _desc + 16 * index;
        return (*(ulong*)d, *(uint*)(d + 8), *(ushort*)(d + 12), *(ushort*)(d + 14));
    }

    public static void WriteSplit(byte* at, ulong address, uint length, ushort flags, ushort next)
    {
        *(ulong*)at = address;
        *(uint*)(at + 8) = length;
        *(ushort*)(at + 12) = flags;
        *(ushort*)(at + 14) = next;
    }

    /// <summary>Puts any head into the available ring.</summary>
    public void AddHead(ushort head) => AvailRing(_availIdx++) = head;

    public override int Add(ReadOnlySpan<RingBuffer> buffers, bool indirect)
    {
        ushort head = _free.Pop();
        if (indirect)
        {
            byte* table = Ram.Allocate(16 * buffers.Length, 16);
            for (int i = 0; i < buffers.Length; i++)
            {
                bool last = i == buffers.Length - 1;
                WriteSplit(table + 16 * i, buffers[i].Address, buffers[i].Length, Flags(buffers[i].Write, last), (ushort)(i + 1));
            }
            WriteDescriptor(head, Ram.Guest(table), (uint)(16 * buffers.Length), 4, 0);
            _chainLengths[head] = 1;
        }
        else
        {
            ushort at = head;
            for (int i = 0; i < buffers.Length; i++)
            {
                bool last = i == buffers.Length - 1;
                ushort next = last ? (ushort)0 : _free.Pop();
                WriteDescriptor(at, buffers[i].Address, buffers[i].Length, Flags(buffers[i].Write, last), next);
                at = next;
            }
            _chainLengths[head] = (ushort)buffers.Length;
        }
        AddHead(head);
        return head;
    }

    public override bool Publish()
    {
        ushort old = _publishedIdx;
        _publishedIdx = _availIdx;
        Volatile.Write(ref AvailIdx, _availIdx);
        Interlocked.MemoryBarrier();
        return EventIndex
            ? (ushort)(_availIdx - AvailEvent - 1) < (ushort)(_availIdx - old)
            : (UsedFlags & 1) == 0;
    }

    public override bool TryTakeUsed(out int id, out uint written)
    {
        if (UsedIdx == _lastUsed)
        {
            id = -1;
            written = 0;
            return false;
        }
        byte* element = _used + 4 + 8 * (_lastUsed & (Size - 1));
        id = (int)*(uint*)element;
        written = *(uint*)(element + 4);
        _lastUsed++;
        int length = _chainLengths[id];
        if (length == 0)
        {
            throw new InvalidOperationException($"The device used {id}, which is not in flight.");
        }
        _chainLengths[id] = 0;
        ushort at = (ushort)id;
        for (int i = 0; i < length; i++)
        {
            ushort next = ReadDescriptor(at).Next;
            _free.Push(at);
            at = next;
        }
        return true;
    }

    public override bool ArmCall()
    {
        if (EventIndex)
        {
            *(ushort*)(_avail + 4 + 2 * Size) = _lastUsed;
        }
        else
        {
            *(ushort*)_avail = 0;
        }
        Interlocked.MemoryBarrier();
        return UsedIdx != _lastUsed;
    }

    public override void DisarmCall()
    {
        if (EventIndex)
        {
            *(ushort*)(_avail + 4 + 2 * Size) = (ushort)(_lastUsed - 1 - 0x4000);
        }
        else
        {
            *(ushort*)_avail = 1;
        }
    }

    private static ushort Flags(bool write, bool last) => (ushort)((write ? 2 : 0) | (last ? 0 : 1));
}
