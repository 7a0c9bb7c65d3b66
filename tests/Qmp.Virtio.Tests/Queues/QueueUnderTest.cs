using Qmp.Testing.VhostUser;
using Qmp.Virtio.Memory;
using Qmp.Virtio.Queues;

namespace Qmp.Virtio.Tests.Queues;

/// <summary>A guest's memory, a driver on a ring in it, and our side of the same ring: no socket, no disk.</summary>
internal sealed unsafe class QueueUnderTest : IDisposable
{
    private readonly bool _indirect;
    private readonly byte[] _region;
    private readonly bool _inflight;

    public QueueUnderTest(bool packed, int size = 16, bool eventIndex = false, bool indirect = true, int regions = 1, ulong gap = 0x4000_0000, bool inflight = false)
    {
        Ram = new GuestRam(regions: regions, gap: gap);
        Driver = RingDriver.Create(Ram, size, packed, eventIndex);
        Memory = new GuestMemory();
        for (int i = 0; i < regions; i++)
        {
            (ulong guest, ulong bytes, ulong user, ulong offset) = Ram.Region(i);
            Assert.That(Memory.Add(guest, bytes, user, offset, Ram.Fd), Is.Zero);
        }
        _indirect = indirect;
        _inflight = inflight;
        _region = GC.AllocateArray<byte>((int)InflightLayout.QueueBytes(size, packed: true), pinned: true);
        Queue = Make(Driver.FirstBase, out _);
    }

    public GuestRam Ram { get; }

    public RingDriver Driver { get; }

    public GuestMemory Memory { get; }

    public Virtqueue Queue { get; private set; }

    public SplitRingDriver Split => (SplitRingDriver)Driver;

    public PackedRingDriver Packed => (PackedRingDriver)Driver;

    /// <summary>A new back end finds what the last one left.</summary>
    public int Restart(uint @base)
    {
        Queue.Dispose();
        Queue = Make(@base, out int resubmit);
        return resubmit;
    }

    /// <summary>Adds a chain of fresh buffers: sizes that the device reads, and sizes that it writes.</summary>
    public int Add(int[] read, int[] write, bool indirect = false)
    {
        var buffers = new List<RingBuffer>();
        foreach (int bytes in read)
        {
            buffers.Add(new(Ram.Guest(Ram.Allocate(bytes)), (uint)bytes, false));
        }
        foreach (int bytes in write)
        {
            buffers.Add(new(Ram.Guest(Ram.Allocate(bytes)), (uint)bytes, true));
        }
        return Driver.Add(buffers.ToArray(), indirect);
    }

    /// <summary>The device serves one chain at once.</summary>
    public int ServeOne(uint written = 1)
    {
        int slot = Queue.Pop();
        if (slot >= 0)
        {
            Queue.Push(slot, written);
            Queue.Flush();
        }
        return slot;
    }

    public void Dispose()
    {
        Queue.Dispose();
        Memory.Dispose();
        Driver.Dispose();
        Ram.Dispose();
    }

    private Virtqueue Make(uint @base, out int resubmit)
    {
        var queue = Virtqueue.Create(new VirtqueueSetup(Driver.Size, Memory, Driver.Packed, Driver.EventIndex, _indirect));
        (ulong descriptors, ulong available, ulong used) = Driver.Addresses;
        Assert.That(queue.TryAttach(new RingAddresses(descriptors, available, used)), Is.True);
        queue.SetBase(@base);
        resubmit = 0;
        if (_inflight)
        {
            fixed (byte* region = _region)
            {
                Assert.That(queue.TryRecover(region, out resubmit), Is.True);
            }
        }
        return queue;
    }
}
