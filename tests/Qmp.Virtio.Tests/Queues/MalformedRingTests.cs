using Qmp.Aio;
using Qmp.Testing.VhostUser;
using Qmp.Virtio.Memory;
using Qmp.Virtio.Queues;

namespace Qmp.Virtio.Tests.Queues;

/// <summary>What a good driver never does. The queue breaks with a reason and takes nothing more.</summary>
internal sealed unsafe class MalformedRingTests
{
    private const ulong Good = GuestRam.FirstAddress + 4096;

    [Test]
    public void Split_head_out_of_range()
    {
        using var t = new QueueUnderTest(packed: false);
        t.Split.AddHead(16);
        Breaks(t, "16");
    }

    [Test]
    public void Split_index_moves_too_far()
    {
        using var t = new QueueUnderTest(packed: false);
        t.Split.AvailIdx = 17;
        Breaks(t, "17");
    }

    [Test]
    public void Split_loop_of_descriptors()
    {
        using var t = new QueueUnderTest(packed: false);
        t.Split.WriteDescriptor(3, Good, 16, 1, 4);
        t.Split.WriteDescriptor(4, Good, 16, 1, 3);
        t.Split.AddHead(3);
        Breaks(t, "segments");
    }

    [Test]
    public void Split_link_out_of_range()
    {
        using var t = new QueueUnderTest(packed: false);
        t.Split.WriteDescriptor(3, Good, 16, 1, 500);
        t.Split.AddHead(3);
        Breaks(t, "500");
    }

    [Test]
    public void Split_descriptor_made_available_twice()
    {
        using var t = new QueueUnderTest(packed: false);
        t.Split.WriteDescriptor(3, Good, 16, 0, 0);
        t.Split.AddHead(3);
        t.Split.AddHead(3);
        t.Driver.Publish();
        Assert.That(t.Queue.Pop(), Is.EqualTo(3));
        Breaks(t, "in flight");
    }

    [Test]
    public void Split_indirect_and_linked()
    {
        using var t = new QueueUnderTest(packed: false);
        t.Split.WriteDescriptor(3, Good, 16, 4 | 1, 4);
        t.Split.AddHead(3);
        Breaks(t, "indirect");
    }

    [Test]
    public void Split_loop_in_an_indirect_table()
    {
        using var t = new QueueUnderTest(packed: false);
        byte* table = t.Ram.Allocate(32);
        SplitRingDriver.WriteSplit(table, Good, 16, 1, 1);
        SplitRingDriver.WriteSplit(table + 16, Good, 16, 1, 0);
        t.Split.WriteDescriptor(0, t.Ram.Guest(table), 32, 4, 0);
        t.Split.AddHead(0);
        Breaks(t, "segments");
    }

    [Test]
    public void Split_link_out_of_an_indirect_table()
    {
        using var t = new QueueUnderTest(packed: false);
        byte* table = t.Ram.Allocate(32);
        SplitRingDriver.WriteSplit(table, Good, 16, 1, 2);
        t.Split.WriteDescriptor(0, t.Ram.Guest(table), 32, 4, 0);
        t.Split.AddHead(0);
        Breaks(t, "2 of 2");
    }

    [TestCase(0u)]
    [TestCase(24u)]
    [TestCase(0xFFFF_FFF0u)]
    public void Indirect_table_of_a_bad_size(uint bytes)
    {
        using var t = new QueueUnderTest(packed: false);
        t.Split.WriteDescriptor(0, Good, bytes, 4, 0);
        t.Split.AddHead(0);
        Breaks(t, "table");
    }

    [Test]
    public void Indirect_in_an_indirect_table([Values] bool packed)
    {
        using var t = new QueueUnderTest(packed);
        byte* table = t.Ram.Allocate(16);
        SplitRingDriver.WriteSplit(table, Good, 16, 0, 4);
        if (!packed)
        {
            SplitRingDriver.WriteSplit(table, Good, 16, 4, 0);
        }
        Put(t, t.Ram.Guest(table), 16, 4);
        Breaks(t, "indirect");
    }

    [Test]
    public void Indirect_not_negotiated([Values] bool packed)
    {
        using var t = new QueueUnderTest(packed, indirect: false);
        Put(t, Good, 16, 4);
        Breaks(t, "negotiated");
    }

    [TestCase(0UL)]
    [TestCase(GuestRam.FirstAddress - 1)]
    [TestCase(GuestRam.FirstAddress + (8 << 20))]
    [TestCase(GuestRam.FirstAddress + (8 << 20) - 8)]
    [TestCase(ulong.MaxValue - 4)]
    public void Address_outside_guest_memory(ulong address)
    {
        foreach (bool packed in (bool[])[false, true])
        {
            using var t = new QueueUnderTest(packed);
            Put(t, address, 16, 2);
            Breaks(t, "outside guest memory");
        }
    }

    [Test]
    public void Zero_length([Values] bool packed)
    {
        using var t = new QueueUnderTest(packed);
        Put(t, Good, 0, 0);
        Breaks(t, "zero");
    }

    [Test]
    public void Readable_after_writable([Values] bool packed)
    {
        using var t = new QueueUnderTest(packed);
        t.Driver.Add([new(Good, 16, true), new(Good, 16, false)], indirect: false);
        Breaks(t, "follows");
    }

    [Test]
    public void Packed_chain_longer_than_the_ring()
    {
        using var t = new QueueUnderTest(packed: true, size: 4);
        for (int i = 0; i < 4; i++)
        {
            PackedRingDriver.WritePacked(t.Packed.Descriptor(i), Good, 16, 0, 1 | 0x80);
        }
        Assert.That(t.Queue.Pop(), Is.EqualTo(Virtqueue.Empty));
        Assert.That(t.Queue.Broken, Does.Contain("longer than the queue"));
    }

    [Test]
    public void Rings_outside_memory_or_not_aligned([Values] bool packed)
    {
        using var t = new QueueUnderTest(packed);
        (ulong d, ulong a, ulong u) = t.Driver.Addresses;
        ulong end = (ulong)t.Ram.Base + t.Ram.Bytes;
        Assert.Multiple(() =>
        {
            Assert.That(t.Queue.TryAttach(new RingAddresses(d, a, u)), Is.True);
            Assert.That(t.Queue.TryAttach(new RingAddresses(d + 8, a, u)), Is.False);
            Assert.That(t.Queue.TryAttach(new RingAddresses(d, a + 1, u)), Is.False);
            Assert.That(t.Queue.TryAttach(new RingAddresses(d, a, u + 2)), Is.False);
            Assert.That(t.Queue.TryAttach(new RingAddresses(end - 16, a, u)), Is.False);
            Assert.That(t.Queue.TryAttach(new RingAddresses(d, end, u)), Is.False);
            Assert.That(t.Queue.TryAttach(new RingAddresses(d, a, ulong.MaxValue - 3)), Is.False);
        });
    }

    [Test]
    public void In_flight_regions_that_make_no_sense_are_refused([Values] bool packed)
    {
        using var t = new QueueUnderTest(packed, inflight: true);
        byte[] region = GC.AllocateArray<byte>((int)InflightLayout.QueueBytes(16, packed: true), pinned: true);
        var random = new Random(11);
        int accepted = 0;
        for (int i = 0; i < 20000; i++)
        {
            random.NextBytes(region);
            // Past the first checks, into the interesting ones.
            region[8] = 1;
            region[9] = 0;
            region[10] = 16;
            region[11] = 0;
            for (int at = 12; at < region.Length; at++)
            {
                if (random.Next(4) != 0)
                {
                    region[at] &= (byte)(random.Next(2) == 0 ? 0 : 15);
                }
            }
            fixed (byte* p = region)
            {
                if (t.Queue.TryRecover(p, out int resubmit))
                {
                    accepted++;
                    Assert.That(resubmit, Is.InRange(0, 16));
                    while (t.Queue.PopInflight() >= 0)
                    {
                        Assert.That(t.Queue.Broken, Is.Null);
                    }
                }
                t.Queue.RetireInflight();
            }
            t.Restart(t.Driver.FirstBase);
        }
        Assert.That(accepted, Is.LessThan(20000));
    }

    /// <summary>Arbitrary bytes in the rings: the queue breaks or serves, within its memory.</summary>
    [Test]
    public void Random_rings_never_escape([Values] bool packed, [Values] bool inflight)
    {
        var random = new Random(5);
        for (int round = 0; round < 2000; round++)
        {
            using var t = new QueueUnderTest(packed, size: 8, inflight: inflight, eventIndex: round % 2 == 0);
            byte* rings = t.Ram.Base;
            for (int at = 0; at < 3 * 4096 && at < (int)t.Ram.Bytes; at++)
            {
                if (random.Next(8) == 0)
                {
                    rings[at] = (byte)random.Next(256);
                }
            }
            for (int i = 0; i < 8; i++)
            {
                // Addresses and lengths that often lead somewhere.
                byte* d = (byte*)t.Driver.Addresses.Descriptors + 16 * i;
                *(ulong*)d = GuestRam.FirstAddress + (ulong)random.Next(1 << 23);
                *(uint*)(d + 8) = (uint)random.Next(1, 1 << random.Next(1, 24));
            }
            int popped = 0;
            for (int step = 0; step < 40; step++)
            {
                int slot = t.Queue.Pop();
                if (slot < 0)
                {
                    t.Queue.Flush();
                    break;
                }
                popped++;
                VirtqueueChain* chain = t.Queue.Chain(slot);
                for (int s = 0; s < chain->OutCount + chain->InCount; s++)
                {
                    AssertMapped(t.Memory, chain->Segments[s]);
                }
                t.Queue.Push(slot, 1);
                if (random.Next(2) == 0)
                {
                    t.Queue.Flush();
                }
            }
            Assert.That(t.Queue.InFlight, Is.InRange(0, 8));
            Assert.That(popped, Is.InRange(0, 40));
        }
    }

    private static void AssertMapped(GuestMemory memory, Iovec segment)
    {
        memory.Translate(GuestRam.FirstAddress, 1, out byte* start);
        ulong offset = (ulong)(segment.Base - start);
        Assert.That(offset < 8 << 20 && segment.Length <= (8 << 20) - offset, Is.True);
    }

    private static void Put(QueueUnderTest t, ulong address, uint length, ushort flags)
    {
        if (t.Driver.Packed)
        {
            t.Packed.Put(address, length, 0, flags);
        }
        else
        {
            t.Split.WriteDescriptor(0, address, length, flags, 0);
            t.Split.AddHead(0);
        }
    }

    private static void Breaks(QueueUnderTest t, string reason)
    {
        if (t.Driver.Packed || t.Split.AvailIdx != 17)
        {
            t.Driver.Publish();
        }
        Assert.That(t.Queue.Pop(), Is.EqualTo(Virtqueue.Empty));
        Assert.That(t.Queue.Broken, Does.Contain(reason));
        Assert.That(t.Queue.Pop(), Is.EqualTo(Virtqueue.Empty), "and stays broken");
    }
}
