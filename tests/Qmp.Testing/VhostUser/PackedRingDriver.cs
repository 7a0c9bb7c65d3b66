namespace Qmp.Testing.VhostUser;

/// <summary>The driver's side of a packed virtqueue.</summary>
public sealed unsafe class PackedRingDriver : RingDriver
{
    private readonly byte* _ring;
    private readonly byte* _driverEvent;
    private readonly byte* _deviceEvent;
    private readonly Stack<ushort> _freeIds = new();
    private readonly ushort[] _chainLengths;
    private int _free;
    private ushort _next;
    private bool _wrap = true;
    private ushort _used;
    private bool _usedWrap = true;
    private int _added;
    private ushort _heldIndex;
    private ushort _heldFlags;
    private bool _held;

    public PackedRingDriver(GuestRam ram, int size, bool eventIndex)
        : base(ram, size, eventIndex)
    {
        _ring = ram.Allocate(16 * size, 4096);
        _driverEvent = ram.Allocate(4, 64);
        _deviceEvent = ram.Allocate(4, 64);
        _free = size;
        for (int i = size - 1; i >= 0; i--)
        {
            _freeIds.Push((ushort)i);
        }
        _chainLengths = new ushort[size];
    }

    public override bool Packed => true;

    public override (ulong Descriptors, ulong Available, ulong Used) Addresses => ((ulong)_ring, (ulong)_driverEvent, (ulong)_deviceEvent);

    public override uint FirstBase => 0x8000_8000;

    public override int Free => _free;

    /// <summary>A descriptor of the ring, for tests that spoil it.</summary>
    public byte* Descriptor(int index) => _ring + 16 * index;

    public (ushort Offset, ushort Flags) DeviceEvent => (*(ushort*)_deviceEvent, *(ushort*)(_deviceEvent + 2));

    public override int Add(ReadOnlySpan<RingBuffer> buffers, bool indirect)
    {
        ushort id = _freeIds.Pop();
        if (indirect)
        {
            byte* table = Ram.Allocate(16 * buffers.Length, 16);
            for (int i = 0; i < buffers.Length; i++)
            {
                WritePacked(table + 16 * i, buffers[i].Address, buffers[i].Length, 0, (ushort)(buffers[i].Write ? 2 : 0));
            }
            Put(Ram.Guest(table), (uint)(16 * buffers.Length), id, 4);
            _chainLengths[id] = 1;
        }
        else
        {
            for (int i = 0; i < buffers.Length; i++)
            {
                bool last = i == buffers.Length - 1;
                Put(buffers[i].Address, buffers[i].Length, id, (ushort)((buffers[i].Write ? 2 : 0) | (last ? 0 : 1)));
            }
            _chainLengths[id] = (ushort)buffers.Length;
        }
        return id;
    }

    /// <summary>Puts one raw descriptor into the ring; flags without the two of availability.</summary>
    public void Put(ulong address, uint length, ushort id, ushort flags)
    {
        ushort available = (ushort)(flags | (_wrap ? 0x80 : 0x8000));
        byte* at = Descriptor(_next);
        *(ulong*)at = address;
        *(uint*)(at + 8) = length;
        *(ushort*)(at + 12) = id;
        if (_held)
        {
            Volatile.Write(ref *(ushort*)(at + 14), available);
        }
        else
        {
            // The first descriptor that is not visible yet is made so last.
            _held = true;
            _heldIndex = _next;
            _heldFlags = available;
        }
        if (++_next == Size)
        {
            _next = 0;
            _wrap = !_wrap;
        }
        _free--;
        _added++;
    }

    public static void WritePacked(byte* at, ulong address, uint length, ushort id, ushort flags)
    {
        *(ulong*)at = address;
        *(uint*)(at + 8) = length;
        *(ushort*)(at + 12) = id;
        *(ushort*)(at + 14) = flags;
    }

    public override bool Publish()
    {
        if (!_held)
        {
            return false;
        }
        Volatile.Write(ref *(ushort*)(Descriptor(_heldIndex) + 14), _heldFlags);
        _held = false;
        Interlocked.MemoryBarrier();
        int added = _added;
        _added = 0;
        (ushort offset, ushort flags) = DeviceEvent;
        if (flags == 1)
        {
            return false;
        }
        if (flags == 2 && EventIndex)
        {
            int back = _next - (offset & 0x7FFF) + ((offset & 0x8000) != 0 == _wrap ? 0 : Size);
            return back >= 1 && back <= added;
        }
        return true;
    }

    public override bool TryTakeUsed(out int id, out uint written)
    {
        if (!IsUsed())
        {
            id = -1;
            written = 0;
            return false;
        }
        byte* at = Descriptor(_used);
        id = *(ushort*)(at + 12);
        written = *(uint*)(at + 8);
        int length = id < Size ? _chainLengths[id] : 0;
        if (length == 0)
        {
            throw new InvalidOperationException($"The device used {id}, which is not in flight.");
        }
        _chainLengths[id] = 0;
        _freeIds.Push((ushort)id);
        _free += length;
        int next = _used + length;
        if (next >= Size)
        {
            next -= Size;
            _usedWrap = !_usedWrap;
        }
        _used = (ushort)next;
        return true;
    }

    public override bool ArmCall()
    {
        if (EventIndex)
        {
            *(ushort*)_driverEvent = (ushort)(_used | (_usedWrap ? 0x8000 : 0));
            Volatile.Write(ref *(ushort*)(_driverEvent + 2), 2);
        }
        else
        {
            Volatile.Write(ref *(ushort*)(_driverEvent + 2), 0);
        }
        Interlocked.MemoryBarrier();
        return IsUsed();
    }

    public override void DisarmCall() => Volatile.Write(ref *(ushort*)(_driverEvent + 2), 1);

    private bool IsUsed()
    {
        ushort flags = Volatile.Read(ref *(ushort*)(Descriptor(_used) + 14));
        return (flags & 0x80) != 0 == _usedWrap && (flags & 0x8000) != 0 == _usedWrap;
    }
}
