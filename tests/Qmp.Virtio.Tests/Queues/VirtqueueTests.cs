using CsCheck;
using Qmp.Virtio.Queues;

namespace Qmp.Virtio.Tests.Queues;

/// <summary>Both kinds of ring, with a driver that keeps the rules.</summary>
[TestFixture(false)]
[TestFixture(true)]
internal sealed unsafe class VirtqueueTests(bool packed)
{
    [Test]
    public void A_chain_comes_as_the_driver_built_it()
    {
        using var t = new QueueUnderTest(packed);
        int id = t.Add([16, 512], [4096, 1]);
        t.Driver.Publish();

        int slot = t.Queue.Pop();
        Assert.That(slot, Is.GreaterThanOrEqualTo(0), t.Queue.Broken);
        VirtqueueChain* chain = t.Queue.Chain(slot);
        Assert.Multiple(() =>
        {
            Assert.That((chain->OutBytes, chain->OutCount, chain->InBytes, chain->InCount), Is.EqualTo((528u, (ushort)2, 4097u, (ushort)2)));
            Assert.That(chain->Segments[2].Length, Is.EqualTo((nuint)4096));
        });

        t.Queue.Push(slot, 4097);
        Assert.That(t.Driver.TryTakeUsed(out _, out _), Is.False, "not before the flush");
        Assert.That(t.Queue.Flush(), Is.True, "the driver listens");
        Assert.That(t.Driver.TryTakeUsed(out int used, out uint written), Is.True);
        Assert.That((used, written), Is.EqualTo((id, 4097u)));
    }

    [Test]
    public void Bytes_are_the_same_memory()
    {
        using var t = new QueueUnderTest(packed, regions: 3);
        byte* from = t.Ram.Allocate(100);
        new Span<byte>(from, 100).Fill(0x5A);
        t.Driver.Add([new(t.Ram.Guest(from), 100, false)], indirect: false);
        t.Driver.Publish();
        VirtqueueChain* chain = t.Queue.Chain(t.Queue.Pop());
        Assert.That(new ReadOnlySpan<byte>(chain->Segments[0].Base, 100).ToArray(), Is.All.EqualTo(0x5A));
    }

    [Test]
    public void A_buffer_across_two_adjacent_regions_becomes_two_segments()
    {
        using var t = new QueueUnderTest(packed, regions: 2, gap: 0);
        ulong border = t.Ram.Region(1).Guest;
        t.Driver.Add([new(border - 1000, 3000, true)], indirect: false);
        t.Driver.Publish();
        int slot = t.Queue.Pop();
        Assert.That(slot, Is.GreaterThanOrEqualTo(0), t.Queue.Broken);
        VirtqueueChain* chain = t.Queue.Chain(slot);
        Assert.That((chain->InCount, chain->InBytes, (int)chain->Segments[0].Length, (int)chain->Segments[1].Length), Is.EqualTo(((ushort)2, 3000u, 1000, 2000)));
    }

    [TestCase(7)]
    [TestCase(515)]
    public void Indirect_chains_may_be_longer_than_the_queue(int descriptors)
    {
        using var t = new QueueUnderTest(packed, size: 4);
        t.Add([.. Enumerable.Repeat(16, descriptors - 1)], [1], indirect: true);
        t.Driver.Publish();
        int slot = t.Queue.Pop();
        Assert.That(slot, Is.GreaterThanOrEqualTo(0), t.Queue.Broken);
        Assert.That(t.Queue.Chain(slot)->OutCount, Is.EqualTo(descriptors - 1));
        Assert.That((nuint)t.Queue.Chain(slot)->Segments[descriptors - 2].Length, Is.EqualTo((nuint)16));
    }

    [Test]
    public void A_chain_of_516_segments_breaks_a_short_queue()
    {
        using var t = new QueueUnderTest(packed, size: 4);
        t.Add([.. Enumerable.Repeat(16, 515)], [1], indirect: true);
        t.Driver.Publish();
        Assert.That(t.Queue.Pop(), Is.EqualTo(Virtqueue.Empty));
        Assert.That(t.Queue.Broken, Does.Contain("515"));
    }

    [Test]
    public void One_call_for_a_batch_and_none_when_not_wanted([Values] bool eventIndex)
    {
        using var t = new QueueUnderTest(packed, eventIndex: eventIndex);
        // The first call after a start is unconditional with the event index: completions may have been missed.
        t.Add([16], [1]);
        t.Driver.Publish();
        t.ServeOne();
        Assert.That(t.Driver.TryTakeUsed(out _, out _), Is.True);

        t.Driver.DisarmCall();
        t.Add([16], [1]);
        t.Add([16], [1]);
        t.Driver.Publish();
        t.Queue.Push(t.Queue.Pop(), 1);
        t.Queue.Push(t.Queue.Pop(), 1);
        Assert.That(t.Queue.Flush(), Is.False);
        Assert.That(t.Driver.TryTakeUsed(out _, out _) && t.Driver.TryTakeUsed(out _, out _), Is.True);

        Assert.That(t.Driver.ArmCall(), Is.False);
        t.Add([16], [1]);
        t.Driver.Publish();
        t.Queue.Push(t.Queue.Pop(), 1);
        Assert.That(t.Queue.Flush(), Is.True);
    }

    [Test]
    public void Kicks_are_asked_for_only_when_enabled([Values] bool eventIndex)
    {
        using var t = new QueueUnderTest(packed, eventIndex: eventIndex);
        Assert.That(t.Queue.EnableKicks(), Is.False);
        t.Add([16], [1]);
        Assert.That(t.Driver.Publish(), Is.True, "kick wanted");
        t.Queue.DisableKicks();
        t.ServeOne();
        t.Add([16], [1]);
        Assert.That(t.Driver.Publish(), Is.False, "no kick wanted");
        Assert.That(t.Queue.EnableKicks(), Is.True, "look again: something came in between");
        t.ServeOne();
        Assert.That(t.Queue.EnableKicks(), Is.False);
        t.Queue.DisableKicks();
        t.Add([16], [1]);
        Assert.That(t.Driver.Publish(), Is.False, "no kick wanted for the first one either");
    }

    /// <summary>The story of a queue: what the driver adds, in which order the device completes, over many wraps.</summary>
    [Test]
    public void Any_order_of_completions_reaches_the_driver_once()
    {
        var action = Gen.Select(Gen.Int[0, 9], Gen.Int[1, 4], Gen.Bool, Gen.Int[0, 1000]);
        Gen.Select(action.Array[1, 300], Gen.Int[0, 3], Gen.Bool).Sample(
            (actions, sizeBits, eventIndex) =>
            {
                int size = packed ? 3 + sizeBits * 5 : 4 << sizeBits;
                using var t = new QueueUnderTest(packed, size, eventIndex);
                var taken = new List<(int Slot, int Id, uint Tag)>();
                var expected = new Dictionary<int, uint>();
                var ids = new Dictionary<uint, int>();
                uint tag = 0;
                foreach ((int what, int length, bool indirect, int pick) in actions)
                {
                    if (what < 4 && t.Driver.Free >= (indirect ? 1 : length))
                    {
                        // The first buffer's length says which request this is.
                        uint bytes = 16 + tag % 5000;
                        var buffers = new List<Testing.VhostUser.RingBuffer> { new(Testing.VhostUser.GuestRam.FirstAddress, bytes, false) };
                        for (int i = 1; i < length; i++)
                        {
                            buffers.Add(new(Testing.VhostUser.GuestRam.FirstAddress + 4096, 64, true));
                        }
                        int id = t.Driver.Add(buffers.ToArray(), indirect && length > 1);
                        Assert.That(ids.TryAdd(bytes, id), Is.True);
                        tag++;
                        t.Driver.Publish();
                    }
                    else if (what < 7)
                    {
                        int slot = t.Queue.Pop();
                        if (slot >= 0)
                        {
                            uint bytes = t.Queue.Chain(slot)->OutBytes;
                            Assert.That(ids.Remove(bytes, out int id), Is.True);
                            taken.Add((slot, id, bytes));
                        }
                        Assert.That(t.Queue.Broken, Is.Null);
                    }
                    else if (what < 8)
                    {
                        t.Queue.Flush();
                        while (t.Driver.TryTakeUsed(out int id, out uint written))
                        {
                            Assert.That(expected.Remove(id, out uint bytes), Is.True);
                            Assert.That(written, Is.EqualTo(bytes));
                        }
                        Assert.That(expected, Is.Empty);
                    }
                    else if (taken.Count != 0)
                    {
                        (int slot, int id, uint bytes) = taken[pick % taken.Count];
                        taken.RemoveAt(pick % taken.Count);
                        t.Queue.Push(slot, bytes);
                        expected.Add(id, bytes);
                    }
                }
                Assert.That(t.Queue.InFlight, Is.EqualTo(taken.Count + expected.Count));
            },
            iter: 300,
            threads: 1);
    }

    /// <summary>A driver that waits for calls and a device that waits for kicks never both wait.</summary>
    [Test]
    public void No_notification_is_lost_when_both_sides_sleep([Values] bool eventIndex)
    {
        using var t = new QueueUnderTest(packed, size: 8, eventIndex: eventIndex);
        var random = new Random(7);
        int inDevice = 0;
        Assert.That(t.Queue.EnableKicks(), Is.False);
        Assert.That(t.Driver.ArmCall(), Is.False);
        for (int round = 0; round < 5000; round++)
        {
            int count = random.Next(1, 4);
            for (int i = 0; i < count && t.Driver.Free >= 2; i++)
            {
                t.Driver.Add([new(Testing.VhostUser.GuestRam.FirstAddress, 16, false), new(Testing.VhostUser.GuestRam.FirstAddress + 64, 1, true)], indirect: false);
                inDevice++;
            }
            bool kick = t.Driver.Publish();
            Assert.That(kick || inDevice == 0 || count == 0, Is.True, $"round {round}: the device sleeps and was not kicked");

            // The device wakes, takes all, completes all, sleeps again.
            do
            {
                t.Queue.DisableKicks();
                int slot;
                while ((slot = t.Queue.Pop()) >= 0)
                {
                    t.Queue.Push(slot, 1);
                }
            }
            while (t.Queue.EnableKicks());
            Assert.That(t.Queue.Flush(), Is.True, $"round {round}: the driver sleeps and was not called");

            do
            {
                while (t.Driver.TryTakeUsed(out _, out _))
                {
                    inDevice--;
                }
            }
            while (t.Driver.ArmCall());
            Assert.That(inDevice, Is.Zero);
        }
    }

    [Test]
    public void The_base_says_where_to_go_on()
    {
        using var t = new QueueUnderTest(packed, size: packed ? 5 : 8);
        for (int i = 0; i < 23; i++)
        {
            t.Add([16], [1]);
            t.Driver.Publish();
            Assert.That(t.ServeOne(), Is.GreaterThanOrEqualTo(0));
            Assert.That(t.Driver.TryTakeUsed(out _, out _), Is.True);
            if (i % 3 == 0)
            {
                t.Restart(t.Queue.Base);
            }
        }
    }

    [Test]
    public void Serving_allocates_nothing()
    {
        using var t = new QueueUnderTest(packed, size: 64, eventIndex: true, inflight: true);
        void Round()
        {
            for (int i = 0; i < 16; i++)
            {
                t.Driver.Add([new(Testing.VhostUser.GuestRam.FirstAddress, 16, false), new(Testing.VhostUser.GuestRam.FirstAddress + 4096, 4097, true)], indirect: false);
            }
            t.Driver.Publish();
            long before = GC.GetAllocatedBytesForCurrentThread();
            int slot;
            while ((slot = t.Queue.Pop()) >= 0)
            {
                t.Queue.Push(slot, 4097);
            }
            t.Queue.EnableKicks();
            t.Queue.Flush();
            _allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            while (t.Driver.TryTakeUsed(out _, out _))
            {
            }
        }
        for (int i = 0; i < 50; i++)
        {
            Round();
        }
        _allocated = 0;
        for (int i = 0; i < 500; i++)
        {
            Round();
        }
        Assert.That(_allocated, Is.Zero);
    }

    private long _allocated;
}
