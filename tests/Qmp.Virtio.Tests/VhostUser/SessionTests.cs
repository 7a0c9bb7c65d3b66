using System.Runtime.InteropServices;
using Qmp.Aio;
using Qmp.Block;
using Qmp.Testing.VhostUser;

namespace Qmp.Virtio.Tests.VhostUser;

/// <summary>The life of connections: reconnects, drained sections, resizes, moves, memory, requests in flight.</summary>
internal sealed class SessionTests
{
    [Test]
    public async Task One_front_end_at_a_time_and_then_the_next()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var first = new TestGuest(disk);
        using FrontEnd second = disk.Connect();
        second.Send(1);
        Assert.That(first.Disk.Read(0, 512).Status, Is.Zero);
        Assert.That(FrontEnd.PollIn(second.Fd, 50), Is.False, "the second waits");
        first.FrontEnd.Dispose();
        Assert.That(second.Receive()?.Request, Is.EqualTo(1u));
        second.Dispose();
        for (int i = 0; i < 20; i++)
        {
            using var next = new TestGuest(disk, packed: i % 2 == 0);
            Assert.That(next.Disk.Read(0, 512).Status, Is.Zero);
        }
        Assert.That(disk.LogText, Is.Empty, "leaving is no event");
    }

    [Test]
    public async Task Every_queue_serves()
    {
        await using TestDisk disk = await TestDisk.CreateAsync(queues: 4);
        using var guest = new TestGuest(disk, queues: 4, eventIndex: true);
        Assert.That(guest.FrontEnd.Ask(17).Number, Is.EqualTo(4UL));
        for (int i = 0; i < 4; i++)
        {
            byte[] data = new byte[4096];
            data.AsSpan().Fill((byte)(i + 1));
            Assert.That(guest.Disks[i].Write((ulong)i * 8, data).Status, Is.Zero);
            Assert.That(guest.Disks[(i + 1) % 4].Read((ulong)i * 8, 4096).Data, Is.EqualTo(data));
        }
    }

    [Test]
    public async Task A_disabled_ring_rests()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk);
        guest.FrontEnd.EnableRing(0, false);
        guest.Disk.Submit(0, 0, [], 512);
        guest.Ring.PublishAndKick(always: true);
        Assert.That(guest.FrontEnd.Capacity, Is.EqualTo(16384UL), "messages go on");
        Assert.That(guest.Ring.TryTakeUsed(out _, out _), Is.False);
        guest.FrontEnd.EnableRing(0, true);
        Assert.That(guest.Disk.Wait().Result.Status, Is.Zero);
    }

    [Test]
    public async Task A_stopped_ring_goes_on_at_its_base([Values] bool packed)
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk, packed);
        for (int i = 0; i < 5; i++)
        {
            for (int j = 0; j < 31; j++)
            {
                Assert.That(guest.Disk.Read(0, 512).Status, Is.Zero);
            }
            uint at = guest.FrontEnd.StopRing(0);
            if (!packed)
            {
                Assert.That(at, Is.EqualTo((i + 1) * 31));
            }
            guest.FrontEnd.StartRing(0, guest.Ring, at);
        }
    }

    [Test]
    public async Task A_resize_is_told_to_the_guest()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk);
        Assert.That(Libc.SocketPair(Libc.AF_UNIX, Libc.SOCK_STREAM, out int ours, out int theirs), Is.Zero);
        guest.FrontEnd.MustSet(21, [], [theirs]);
        _ = Libc.Close(theirs);
        Assert.That(guest.Disk.Read(32000, 512).Status, Is.EqualTo(1));
        await disk.OnMain(() => disk.Graph.ResizeAsync(disk.Node, 16 << 20));
        byte[]? message = FrontEnd.ReceiveBytes(ours, 12, out _);
        Assert.That(message, Is.EqualTo((byte[])[2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), "config change, no reply wanted");
        Assert.That(guest.FrontEnd.Capacity, Is.EqualTo(32768UL));
        Assert.That(guest.Disk.Read(32000, 512).Status, Is.Zero);
        _ = Libc.Close(ours);
    }

    [Test]
    public async Task Nothing_is_served_inside_a_drained_section([Values] bool packed)
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk, packed, eventIndex: true);
        Assert.That(guest.Disk.Read(0, 512).Status, Is.Zero);
        DrainedSection section = null!;
        await disk.OnMain(async () => section = await disk.Graph.DrainAsync([disk.Node]));
        Assert.That(await disk.OnIo(() => disk.Backend.InFlight), Is.Zero);
        guest.Disk.Submit(0, 0, [], 512);
        guest.Disk.Submit(0, 8, [], 512);
        guest.Ring.PublishAndKick(always: true);
        _ = guest.FrontEnd.Capacity;
        Assert.That(guest.Ring.TryTakeUsed(out _, out _), Is.False);
        await disk.OnMain(() => section.EndAsync());
        Assert.That(guest.Disk.Wait().Result.Status, Is.Zero);
        Assert.That(guest.Disk.Wait().Result.Status, Is.Zero);
    }

    [Test]
    public async Task A_front_end_may_come_and_go_inside_a_drained_section()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        DrainedSection section = null!;
        using (var guest = new TestGuest(disk))
        {
            await disk.OnMain(async () => section = await disk.Graph.DrainAsync([disk.Node]));
            guest.Disk.Submit(0, 0, [], 512);
            guest.Ring.PublishAndKick(always: true);
        }
        using var next = new TestGuest(disk);
        next.Disk.Submit(0, 0, [], 512);
        next.Ring.PublishAndKick(always: true);
        _ = next.FrontEnd.Capacity;
        Assert.That(next.Ring.TryTakeUsed(out _, out _), Is.False);
        await disk.OnMain(() => section.EndAsync());
        Assert.That(next.Disk.Wait().Result.Status, Is.Zero);
    }

    [Test]
    public async Task The_disk_moves_to_another_loop_under_load()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var other = new IoThread("other");
        using var guest = new TestGuest(disk, eventIndex: true);
        using var stop = new CancellationTokenSource();
        Task<int> load = Task.Run(() =>
        {
            int served = 0;
            while (!stop.IsCancellationRequested || served < 100)
            {
                // Long enough for the test, short enough for the guest's memory.
                if (served < 5000)
                {
                    Assert.That(guest.Disk.Read((ulong)(served % 100), 512).Status, Is.Zero);
                    served++;
                }
            }
            return served;
        });
        for (int i = 0; i < 10; i++)
        {
            await disk.OnMain(() => disk.Graph.MoveToContextAsync(disk.Node, i % 2 == 0 ? other.Context : disk.Io.Context));
        }
        stop.Cancel();
        Assert.That(await load, Is.GreaterThanOrEqualTo(100));
        Assert.That(disk.Backend.Home, Is.SameAs(disk.Io.Context));
        guest.FrontEnd.Dispose();
        using var next = new TestGuest(disk);
        Assert.That(next.Disk.Read(0, 512).Status, Is.Zero);
    }

    [Test]
    public async Task Memory_slots_come_and_go()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk, start: false);
        Assert.That(guest.FrontEnd.Ask(36).Number, Is.EqualTo(509UL));
        using var more = new GuestRam(1 << 16);
        (ulong Guest, ulong Size, ulong User, ulong Offset) slot = (0x9_0000_0000, 1 << 16, 0x7000_0000_0000, 0);
        byte[] payload = [.. FrontEnd.Bytes(0UL), .. FrontEnd.RegionBytes(slot)];
        guest.FrontEnd.StartRing(0, guest.Ring);
        Assert.That(guest.FrontEnd.Set(37, payload, [more.Fd]), Is.Zero);
        Assert.That(guest.FrontEnd.Set(37, payload, [more.Fd]), Is.GreaterThan(0), "twice overlaps");
        Assert.That(guest.Disk.Read(0, 512).Status, Is.Zero);
        Assert.That(guest.FrontEnd.Set(38, payload, [more.Fd]), Is.Zero, "with the descriptor that some send");
        Assert.That(guest.FrontEnd.Set(38, payload), Is.GreaterThan(0), "it is gone");
        guest.FrontEnd.SetMemory(guest.Ram);
        Assert.That(guest.Disk.Read(0, 512).Status, Is.Zero, "a new table with the same memory");
        byte[] all = [.. FrontEnd.Bytes(0UL), .. FrontEnd.RegionBytes(guest.Ram.Region(0))];
        Assert.That(guest.FrontEnd.Set(38, all), Is.Zero);
        disk.WaitLog("virtqueue 0 is broken");
        Assert.That(FrontEnd.PollIn(guest.Ring.Error.Fd, 10_000), Is.True);
    }

    [Test]
    public async Task Memory_that_vanishes_ends_only_its_connection()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            Assert.Fail("memory that vanishes is survived on x86-64 only");
        }
        await using TestDisk disk = await TestDisk.CreateAsync();
        using (var guest = new TestGuest(disk))
        {
            Assert.That(guest.Disk.Read(0, 512).Status, Is.Zero);
            Assert.That(Libc.Ftruncate(guest.Ram.Fd, 0), Is.Zero);
            guest.Ring.Kick.Signal();
            disk.WaitLog("guest memory has vanished");
            Assert.That(guest.FrontEnd.WaitClosed(), Is.True);
        }
        using var next = new TestGuest(disk);
        Assert.That(next.Disk.Read(0, 512).Status, Is.Zero);
    }

    [Test]
    public async Task A_reset_stops_the_rings_and_forgets_the_cache_mode([Values(34u, 39u)] uint how)
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk);
        Assert.That(guest.FrontEnd.Set(39, FrontEnd.Bytes(15UL)), Is.Zero);
        Assert.That(guest.FrontEnd.Ask(40).Number, Is.EqualTo(15UL));
        Assert.That(guest.Disk.Read(0, 512).Status, Is.Zero);
        Assert.That(guest.FrontEnd.Set(25, [.. FrontEnd.Bytes(32, 1), .. new byte[4], 0]), Is.Zero);
        Assert.That(guest.FrontEnd.Set(how, how == 34 ? [] : FrontEnd.Bytes(0UL)), Is.Zero);
        Assert.That(guest.FrontEnd.Ask(40).Number, Is.Zero);
        Assert.That(guest.FrontEnd.GetConfig(32, 1)[0], Is.EqualTo(1));
        using RingDriver fresh = RingDriver.Create(guest.Ram, 16, packed: false, eventIndex: false);
        guest.FrontEnd.StartRing(0, fresh);
        Assert.That(new BlkDriver(fresh).Read(0, 512).Status, Is.Zero);
    }

    [Test]
    public async Task A_new_back_end_takes_over_what_was_in_flight([Values] bool packed)
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk, packed, start: false);
        (int Fd, byte[] Description) region = guest.FrontEnd.GetInflight(1, guest.Ring.Size);
        guest.FrontEnd.SetInflight(region);
        guest.FrontEnd.StartRing(0, guest.Ring);
        byte[] data = new byte[512];
        for (int i = 0; i < 77; i++)
        {
            data[0] = (byte)i;
            Assert.That(guest.Disk.Write((ulong)i, data).Status, Is.Zero);
        }

        // The connection drops without a word; the guest goes on adding requests.
        guest.FrontEnd.Dispose();
        for (int i = 0; i < 5; i++)
        {
            guest.Disk.Submit(1, (ulong)(100 + i), [(byte)(200 + i), .. new byte[511]], 0);
        }
        guest.Ring.PublishAndKick(always: true);

        ulong features = guest.FrontEnd.Features;
        guest.FrontEnd = disk.Connect();
        guest.FrontEnd.Negotiate(features);
        guest.FrontEnd.SetMemory(guest.Ram);
        guest.FrontEnd.SetInflight(region);
        guest.FrontEnd.StartRing(0, guest.Ring, guest.Ring.FirstBase);
        for (int i = 0; i < 5; i++)
        {
            Assert.That(guest.Disk.Wait().Result.Status, Is.Zero);
        }
        byte[] image = File.ReadAllBytes(disk.Image);
        Assert.That(Enumerable.Range(0, 77).Select(i => (int)image[i * 512]), Is.EqualTo(Enumerable.Range(0, 77)));
        Assert.That(Enumerable.Range(0, 5).Select(i => (int)image[(100 + i) * 512]), Is.EqualTo(Enumerable.Range(200, 5)));
        _ = Libc.Close(region.Fd);
    }

    [Test]
    public async Task Requests_of_a_killed_back_end_are_done_again()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk, start: false);
        (int Fd, byte[] Description) region = guest.FrontEnd.GetInflight(1, guest.Ring.Size);
        // Two requests were taken from the ring by a back end that died before it could use them.
        int first = guest.Disk.Submit(1, 0, [.. Enumerable.Repeat((byte)1, 512)], 0);
        int second = guest.Disk.Submit(1, 0, [.. Enumerable.Repeat((byte)2, 512)], 0);
        guest.Ring.Publish();
        Span<byte> header = stackalloc byte[16];
        header[8] = 1;
        header[10] = (byte)guest.Ring.Size;
        Poke(region.Fd, 0, header);
        Poke(region.Fd, 16 + first * 16, [1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
        Poke(region.Fd, 16 + second * 16, [1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
        guest.FrontEnd.SetInflight(region);
        guest.FrontEnd.StartRing(0, guest.Ring, 0);
        Assert.That(guest.Disk.Wait().Result.Status, Is.Zero);
        Assert.That(guest.Disk.Wait().Result.Status, Is.Zero);
        Assert.That(guest.Disk.Read(0, 512).Status, Is.Zero);
        disk.WaitLog("2 requests were in flight");
        _ = Libc.Close(region.Fd);
    }

    [Test]
    public async Task The_in_flight_region_is_void_after_a_stop_in_good_order([Values] bool packed)
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk, packed, start: false);
        (int Fd, byte[] Description) region = guest.FrontEnd.GetInflight(1, guest.Ring.Size);
        guest.FrontEnd.SetInflight(region);
        guest.FrontEnd.StartRing(0, guest.Ring);
        for (int i = 0; i < 40; i++)
        {
            Assert.That(guest.Disk.Read(0, 512).Status, Is.Zero);
        }
        guest.FrontEnd.StopRing(0);
        // The guest's driver starts afresh, as after a reboot, and QEMU gives the same region again.
        using RingDriver fresh = RingDriver.Create(guest.Ram, guest.Ring.Size, packed, eventIndex: false);
        guest.FrontEnd.StartRing(0, fresh);
        var again = new BlkDriver(fresh);
        for (int i = 0; i < 40; i++)
        {
            Assert.That(again.Read(0, 512).Status, Is.Zero);
        }
        _ = Libc.Close(region.Fd);
    }

    [Test]
    public async Task A_stop_does_not_wait_for_a_silent_front_end()
    {
        TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk);
        Assert.That(guest.Disk.Read(0, 512).Status, Is.Zero);
        await disk.DisposeAsync();
        Assert.That(guest.FrontEnd.WaitClosed(), Is.True);
    }

    private static unsafe void Poke(int fd, int offset, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* p = bytes)
        {
            Assert.That(Libc.Pwrite(fd, p, (nuint)bytes.Length, offset), Is.EqualTo(bytes.Length));
        }
    }
}
