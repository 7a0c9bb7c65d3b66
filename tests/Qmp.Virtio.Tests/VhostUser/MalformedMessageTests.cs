using Qmp.Aio;
using Qmp.Testing.VhostUser;

namespace Qmp.Virtio.Tests.VhostUser;

/// <summary>What a good front end never sends: the connection ends with a log line, and the next one is served.</summary>
internal sealed class MalformedMessageTests
{
    private static readonly uint[] Requests =
        [1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21, 24, 25, 31, 32, 34, 36, 37, 38, 39, 40];

    [Test]
    public async Task Bad_heads()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        EndsWith(disk, "flags", f => f.Send(1, flags: 0));
        EndsWith(disk, "flags", f => f.Send(1, flags: 3));
        EndsWith(disk, "reply", f => f.Send(1, flags: 1 | 4));
        EndsWith(disk, "4097", f => f.Send(2, new byte[8], size: 4097));
        EndsWith(disk, "4294967295", f => f.Send(2, new byte[8], size: uint.MaxValue));
        EndsWith(disk, "0: unknown", f => f.Send(0));
        EndsWith(disk, "unknown", f => f.Send(7));
        EndsWith(disk, "unknown", f => f.Send(4_000_000_000));
    }

    [Test]
    public async Task A_connection_that_ends_in_the_middle()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        foreach (int bytes in (int[])[1, 11, 12, 15])
        {
            FrontEnd frontEnd = disk.Connect();
            frontEnd.SendRaw(new byte[] { 2, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0 }.AsSpan(0, bytes));
            frontEnd.Dispose();
            disk.WaitLog("middle of a message");
        }
        Serves(disk);
    }

    [Test]
    public async Task Every_message_with_a_wrong_size()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        foreach (uint request in Requests)
        {
            // 7 bytes are right for none of them.
            EndsWith(disk, "payload has 7 bytes", f =>
            {
                f.Negotiate();
                f.Send(request, new byte[7]);
            });
        }
        Serves(disk);
    }

    [Test]
    public async Task Missing_and_surplus_descriptors()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var ram = new GuestRam(1 << 16);
        byte[] region = [.. FrontEnd.Bytes(0UL), .. FrontEnd.RegionBytes(ram.Region(0))];
        byte[] table = [.. FrontEnd.Bytes(1, 0), .. FrontEnd.RegionBytes(ram.Region(0))];
        byte[] table2 = [.. FrontEnd.Bytes(2, 0), .. FrontEnd.RegionBytes(ram.Region(0)), .. FrontEnd.RegionBytes(ram.Region(0))];
        const string Why = "file descriptors";
        EndsWith(disk, Why, f => { f.Negotiate(); f.Send(1, [], [ram.Fd]); });
        EndsWith(disk, Why, f => { f.Negotiate(); f.Send(5, table); });
        EndsWith(disk, Why, f => { f.Negotiate(); f.Send(5, table, [ram.Fd, ram.Fd]); });
        EndsWith(disk, Why, f => { f.Negotiate(); f.Send(5, table2, [ram.Fd]); });
        EndsWith(disk, Why, f => { f.Negotiate(); f.Send(12, FrontEnd.Bytes(0UL)); });
        EndsWith(disk, Why, f => { f.Negotiate(); f.Send(13, FrontEnd.Bytes(0x100UL), [ram.Fd]); });
        EndsWith(disk, Why, f => { f.Negotiate(); f.Send(21); });
        EndsWith(disk, Why, f => { f.Negotiate(); f.Send(32, new byte[24]); });
        EndsWith(disk, Why, f => { f.Negotiate(); f.Send(37, region); });
        EndsWith(disk, "too many", f => { f.Negotiate(); f.Send(5, table, [.. Enumerable.Repeat(ram.Fd, 9)]); });
        EndsWith(disk, "do not fit", f => { f.Negotiate(); f.Send(5, [.. FrontEnd.Bytes(uint.MaxValue, 0), .. FrontEnd.RegionBytes(ram.Region(0))], [ram.Fd]); });
        Serves(disk);
        Assert.That(OpenDescriptors(), Is.LessThan(200), "none of them stays open");
    }

    [Test]
    public async Task A_ring_that_does_not_exist()
    {
        await using TestDisk disk = await TestDisk.CreateAsync(queues: 2);
        using var kick = new AioEventFd();
        foreach (uint request in (uint[])[8, 10, 11, 18])
        {
            EndsWith(disk, "no virtqueue 2", f => { f.Negotiate(); f.Send(request, FrontEnd.Bytes(2, 1)); });
            EndsWith(disk, "no virtqueue", f => { f.Negotiate(); f.Send(request, FrontEnd.Bytes(uint.MaxValue, 1)); });
        }
        foreach (uint request in (uint[])[12, 13, 14])
        {
            EndsWith(disk, "no virtqueue 2", f => { f.Negotiate(); f.Send(request, FrontEnd.Bytes(2UL), [kick.Fd]); });
        }
        EndsWith(disk, "no virtqueue 9", f => { f.Negotiate(); f.Send(9, FrontEnd.RingAddress(9, (0, 0, 0))); });
    }

    [Test]
    public async Task What_cannot_be_done_is_refused_and_the_connection_goes_on()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk, start: false);
        using var kick = new AioEventFd();
        FrontEnd f = guest.FrontEnd;
        int regular = Libc.Open(disk.Image, Libc.O_RDONLY, 0);
        Assert.Multiple(() =>
        {
            Assert.That(f.Set(2, FrontEnd.Bytes(ulong.MaxValue)), Is.EqualTo(1), "features that were not offered");
            Assert.That(f.Set(8, FrontEnd.Bytes(0, 0)), Is.EqualTo(1), "no entries");
            Assert.That(f.Set(8, FrontEnd.Bytes(0, 2048)), Is.EqualTo(1), "too many entries");
            Assert.That(f.Set(12, FrontEnd.Bytes(0UL), [kick.Fd]), Is.EqualTo(1), "started before it was described");
            Assert.That(f.Set(12, FrontEnd.Bytes(0x100UL)), Is.EqualTo(1), "without a kick");
            Assert.That(f.Set(8, FrontEnd.Bytes(0, 48)), Is.EqualTo(0));
            Assert.That(f.Set(9, FrontEnd.RingAddress(0, guest.Ring.Addresses)), Is.EqualTo(0));
            Assert.That(f.Set(12, FrontEnd.Bytes(0UL), [kick.Fd]), Is.EqualTo(1), "a split ring is a power of two");
            Assert.That(f.Set(8, FrontEnd.Bytes(0, 64)), Is.EqualTo(0));
            Assert.That(f.Set(9, FrontEnd.RingAddress(0, (16, 16, 16))), Is.EqualTo(0));
            Assert.That(f.Set(12, FrontEnd.Bytes(0UL), [kick.Fd]), Is.EqualTo(1), "addresses outside memory");
            Assert.That(f.Set(18, FrontEnd.Bytes(0, 2)), Is.EqualTo(1), "neither on nor off");
            Assert.That(f.Set(39, FrontEnd.Bytes(256UL)), Is.EqualTo(1), "no status");
            Assert.That(f.Set(32, new byte[24], [regular]), Is.EqualTo(1), "no in-flight region");
        });
        _ = Libc.Close(regular);
        f.StartRing(0, guest.Ring);
        Assert.That(guest.Disk.Read(0, 512).Status, Is.Zero);
    }

    [Test]
    public async Task Kick_descriptors_that_are_no_events_break_nothing()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using (var guest = new TestGuest(disk, start: false))
        {
            guest.FrontEnd.MustSet(8, FrontEnd.Bytes(0, 64));
            guest.FrontEnd.MustSet(9, FrontEnd.RingAddress(0, guest.Ring.Addresses));
            // A memfd is always readable: the loop must not spin for ever on it, nor die of it.
            guest.FrontEnd.Set(12, FrontEnd.Bytes(0UL), [guest.Ram.Fd]);
            guest.FrontEnd.Set(13, FrontEnd.Bytes(0UL), [guest.Ram.Fd]);
            guest.FrontEnd.EnableRing(0, true);
        }
        Serves(disk);
    }

    [Test]
    public async Task A_front_end_that_does_not_read_its_replies()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using FrontEnd frontEnd = disk.Connect();
        byte[] config = [.. FrontEnd.Bytes(0u, 256u), .. new byte[4 + 256]];
        try
        {
            for (int i = 0; i < 20000; i++)
            {
                frontEnd.Send(24, config);
            }
            Assert.Fail("it was read for ever");
        }
        catch (IOException)
        {
            // Closed by the back end.
        }
        disk.WaitLog("does not read");
        Serves(disk);
    }

    /// <summary>Random messages, mostly of the right shape, in any order.</summary>
    [Test]
    public async Task Any_sequence_of_messages([Range(1, 6)] int seed)
    {
        await using TestDisk disk = await TestDisk.CreateAsync(queues: 2);
        var random = new Random(seed);
        for (int connection = 0; connection < 25; connection++)
        {
            using var guest = new TestGuest(disk, packed: connection % 2 == 0, queues: 2, start: false);
            FrontEnd f = guest.FrontEnd;
            using var kick = new AioEventFd();
            try
            {
                for (int i = 0; i < 40; i++)
                {
                    uint request = Requests[random.Next(Requests.Length)];
                    byte[] payload = new byte[random.Next(30) == 0 ? random.Next(64) : Shape(request)];
                    if (random.Next(3) == 0)
                    {
                        random.NextBytes(payload);
                    }
                    else if (payload.Length >= 8)
                    {
                        payload[0] = (byte)random.Next(2);
                        payload[4] = (byte)random.Next(65);
                        if (request == 9)
                        {
                            payload = FrontEnd.RingAddress(random.Next(2), guest.Rings[random.Next(2)].Addresses);
                        }
                        else if (request == 5)
                        {
                            payload = [.. FrontEnd.Bytes(1, 0), .. FrontEnd.RegionBytes(guest.Ram.Region(0))];
                        }
                    }
                    int[] descriptors = request is 5 or 32 or 37 ? [guest.Ram.Fd] : request is 12 or 13 or 14 or 21 ? [kick.Fd] : [];
                    f.Send(request, payload, descriptors, flags: 1u | (random.Next(2) == 0 ? 8u : 0));
                    guest.Rings[0].Kick.Signal();
                    kick.Signal();
                }
            }
            catch (IOException)
            {
                // Closed by the back end, as it should.
            }
        }
        Serves(disk);
    }

    private static int Shape(uint request) => request switch
    {
        2 or 16 or 39 or 12 or 13 or 14 or 8 or 10 or 11 or 18 => 8,
        9 or 37 or 38 or 5 => 40,
        24 or 25 => 13,
        31 or 32 => 24,
        _ => 0,
    };

    private static void EndsWith(TestDisk disk, string reason, Action<FrontEnd> send)
    {
        using FrontEnd frontEnd = disk.Connect();
        send(frontEnd);
        Assert.That(frontEnd.WaitClosed(), Is.True);
        disk.WaitLog(reason);
    }

    private static void Serves(TestDisk disk)
    {
        using var guest = new TestGuest(disk);
        Assert.That(guest.Disk.Read(0, 512).Status, Is.Zero, "the next front end is served");
    }

    private static int OpenDescriptors() => Directory.GetFiles("/proc/self/fd").Length;
}
