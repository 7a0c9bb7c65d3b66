using System.Buffers.Binary;
using System.Text;
using Qmp.Testing.VhostUser;

namespace Qmp.Virtio.Tests.VhostUser;

/// <summary>Requests of a guest, from its driver to the image file and back.</summary>
internal sealed class RequestTests
{
    [Test]
    public async Task Data_reaches_the_image_and_comes_back([Values] bool packed, [Values] bool eventIndex)
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk, packed, eventIndex);
        byte[] data = Pattern(9000 / 512 * 512, 3);
        Assert.That(guest.Disk.Write(8, data), Is.EqualTo(new BlkResult(0, 1, [])).Using<BlkResult>((a, b) => a.Status == b.Status && a.Written == b.Written));
        Assert.That(guest.Disk.Flush().Status, Is.Zero);
        Assert.That(File.ReadAllBytes(disk.Image).AsSpan(8 * 512, data.Length).ToArray(), Is.EqualTo(data));
        BlkResult read = guest.Disk.Read(8, data.Length, indirect: true);
        Assert.That(read.Status, Is.Zero);
        Assert.That(read.Written, Is.EqualTo(data.Length + 1));
        Assert.That(read.Data, Is.EqualTo(data));
    }

    [Test]
    public async Task Many_requests_at_once_in_many_pieces([Values] bool packed)
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk, packed, eventIndex: true, size: 128);
        byte[] image = Pattern(1 << 20, 9);
        File.WriteAllBytes(disk.Image, [.. image, .. new byte[7 << 20]]);
        var wanted = new Dictionary<int, int>();
        for (int round = 0; round < 20; round++)
        {
            for (int i = 0; i < 16; i++)
            {
                int sector = (round * 16 + i) * 6 % 2000;
                wanted[guest.Disk.Submit(0, (ulong)sector, [], 4096, indirect: i % 2 == 0, pieces: 1 + i % 5)] = sector;
            }
            guest.Ring.PublishAndKick();
            while (wanted.Count != 0)
            {
                (int id, BlkResult result) = guest.Disk.Wait();
                Assert.That(result.Status, Is.Zero);
                Assert.That(wanted.Remove(id, out int sector), Is.True);
                Assert.That(result.Data.AsSpan().SequenceEqual(image.AsSpan(sector * 512, 4096)), Is.True, $"sector {sector}");
            }
        }
        Assert.That(disk.LogText, Is.Empty);
    }

    [Test]
    public async Task The_driver_may_cut_header_and_status_as_it_likes([Values] bool packed)
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk, packed);
        byte[] data = Pattern(1024, 1);
        int id = AddCut(guest, 1, 0, data, 0, headerPieces: [1, 2, 13], together: false);
        guest.Ring.PublishAndKick();
        Assert.That(guest.Ring.WaitUsed().Id, Is.EqualTo(id));
        Assert.That(_status(), Is.Zero);
        // Header and data in one descriptor, data and status in one.
        AddCut(guest, 1, 2, data, 0, headerPieces: [16], together: true);
        guest.Ring.PublishAndKick();
        guest.Ring.WaitUsed();
        Assert.That(_status(), Is.Zero);
        byte[] image = File.ReadAllBytes(disk.Image);
        Assert.That(image.AsSpan(0, 1024).ToArray(), Is.EqualTo(data));
        Assert.That(image.AsSpan(1024, 1024).ToArray(), Is.EqualTo(data));
        AddCut(guest, 0, 2, [], 1024, headerPieces: [16], together: true);
        guest.Ring.PublishAndKick();
        Assert.That(guest.Ring.WaitUsed().Written, Is.EqualTo(1025));
        Assert.That(_status(), Is.Zero);
    }

    [TestCase(11u, false)]
    [TestCase(13u, false)]
    [TestCase(13u, true)]
    public async Task Discard_and_write_zeroes_make_zeroes(uint type, bool unmap)
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk);
        byte[] data = Pattern(65536, 5);
        Assert.That(guest.Disk.Write(0, data).Status, Is.Zero);
        BlkResult result = type == 11 ? guest.Disk.Discard(16, 64) : guest.Disk.WriteZeroes(16, 64, unmap ? 1u : 0);
        Assert.That(result.Status, Is.Zero);
        byte[] image = File.ReadAllBytes(disk.Image);
        Assert.That(image.AsSpan(0, 8192).ToArray(), Is.EqualTo(data[..8192]));
        if (type == 13)
        {
            Assert.That(image.AsSpan(8192, 32768).ContainsAnyExcept((byte)0), Is.False);
        }
        Assert.That(image.AsSpan(40960, 24576).ToArray(), Is.EqualTo(data[40960..]));
    }

    [Test]
    public async Task The_serial_is_the_exports_id()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk);
        BlkResult result = guest.Disk.GetId();
        Assert.That((result.Status, Encoding.ASCII.GetString(result.Data).TrimEnd('\0')), Is.EqualTo(((byte)0, "disk0")));
        Assert.That(guest.Disk.GetId(3).Data, Is.EqualTo("dis"u8.ToArray()), "as much as fits");
    }

    [TestCase(16384UL, 512, 1, TestName = "one past the end")]
    [TestCase(16383UL, 1024, 1, TestName = "across the end")]
    [TestCase(ulong.MaxValue, 512, 1, TestName = "the sector wraps")]
    [TestCase(1UL << 55, 512, 1, TestName = "the byte offset wraps")]
    [TestCase(0UL, 100, 1, TestName = "not a whole block")]
    [TestCase(0UL, 512, 0, TestName = "good")]
    public async Task Reads_outside_the_disk_fail(ulong sector, int bytes, int status)
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk);
        Assert.That(guest.Disk.Read(sector, bytes).Status, Is.EqualTo(status));
        Assert.That(guest.Disk.Read(0, 512).Status, Is.Zero, "and the queue goes on");
    }

    [TestCase(4096u, 8UL, 4096, 0)]
    [TestCase(4096u, 1UL, 4096, 1)]
    [TestCase(4096u, 8UL, 512, 1)]
    public async Task Requests_are_whole_logical_blocks(uint blockBytes, ulong sector, int bytes, int status)
    {
        await using TestDisk disk = await TestDisk.CreateAsync(blockBytes: blockBytes);
        using var guest = new TestGuest(disk);
        Assert.That(guest.Disk.Read(sector, bytes).Status, Is.EqualTo(status));
    }

    [TestCase(11u, 0UL, 1u, 1u, 2, TestName = "discard with a flag")]
    [TestCase(13u, 0UL, 1u, 2u, 2, TestName = "write zeroes with an unknown flag")]
    [TestCase(13u, 0UL, 32769u, 0u, 1, TestName = "write zeroes too long")]
    [TestCase(13u, 16383UL, 2u, 0u, 1, TestName = "write zeroes across the end")]
    [TestCase(11u, ulong.MaxValue, 1u, 0u, 1, TestName = "discard at a sector that wraps")]
    [TestCase(13u, 16384UL, 0u, 0u, 0, TestName = "nothing at the end")]
    public async Task Ranges_are_checked(uint type, ulong sector, uint sectors, uint flags, int status)
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk);
        Assert.That(guest.Disk.Run(type, sector, BlkDriver.Range(sector, sectors, flags), 0, false).Status, Is.EqualTo(status));
    }

    [Test]
    public async Task Two_ranges_are_one_more_than_announced()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk);
        byte[] two = [.. BlkDriver.Range(0, 1, 0), .. BlkDriver.Range(8, 1, 0)];
        Assert.That(guest.Disk.Run(13, 0, two, 0, false).Status, Is.EqualTo(2));
        Assert.That(guest.Disk.Run(13, 0, two.AsSpan(0, 15), 0, false).Status, Is.EqualTo(1));
    }

    [Test]
    public async Task An_unknown_type_is_unsupported()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk);
        Assert.That(guest.Disk.Run(77, 0, [], 0, false).Status, Is.EqualTo(2));
    }

    [Test]
    public async Task A_read_only_disk_takes_no_writes()
    {
        await using TestDisk disk = await TestDisk.CreateAsync(writable: false);
        using var guest = new TestGuest(disk);
        Assert.That(guest.FrontEnd.OfferedFeatures & FrontEnd.FeatureReadOnly, Is.Not.Zero);
        Assert.Multiple(() =>
        {
            Assert.That(guest.Disk.Write(0, new byte[512]).Status, Is.EqualTo(1));
            Assert.That(guest.Disk.Discard(0, 8).Status, Is.EqualTo(1));
            Assert.That(guest.Disk.WriteZeroes(0, 8).Status, Is.EqualTo(1));
            Assert.That(guest.Disk.Read(0, 512).Status, Is.Zero);
            Assert.That(guest.Disk.Flush().Status, Is.Zero);
        });
    }

    [Test]
    public async Task Requests_without_header_or_status_break_only_their_queue([Values] bool packed)
    {
        await using TestDisk disk = await TestDisk.CreateAsync(queues: 2);
        using var guest = new TestGuest(disk, packed, queues: 2);
        guest.Rings[0].Add([new(GuestRam.FirstAddress, 15, false), new(GuestRam.FirstAddress + 64, 1, true)], indirect: false);
        guest.Rings[0].PublishAndKick();
        Assert.That(FrontEnd.PollIn(guest.Rings[0].Error.Fd, 10_000), Is.True, "the error event");
        disk.WaitLog("virtqueue 0 is broken");
        Assert.That(guest.Disks[1].Read(0, 512).Status, Is.Zero, "the other queue goes on");
        // A reset of the device makes the queue whole again.
        guest.FrontEnd.StopRing(0);
        using RingDriver fresh = RingDriver.Create(guest.Ram, 64, packed, eventIndex: false);
        guest.FrontEnd.StartRing(0, fresh);
        Assert.That(new BlkDriver(fresh).Read(0, 512).Status, Is.Zero);
    }

    [Test]
    public async Task The_configuration_is_the_real_daemons_but_for_writeback()
    {
        await using TestDisk disk = await TestDisk.CreateAsync(bytes: 1 << 30, queues: 2, blockBytes: 4096);
        using FrontEnd frontEnd = disk.Connect();
        frontEnd.Negotiate();
        // Captured from qemu-storage-daemon 10.0.2 with the same options; byte 32 is `writeback`.
        byte[] real = Convert.FromHexString(
            "0000200000000000000000007e000000000000000010000000000100010000000000020000800000010000000800000000800000010000000100000000000000"[..120]);
        real[32] = 1;
        Assert.That(Convert.ToHexString(frontEnd.GetConfig()), Is.EqualTo(Convert.ToHexString(real)));
        Assert.That(frontEnd.GetConfig(0, 256)[60..], Is.All.Zero);
        Assert.That(frontEnd.GetConfig(32, 1), Is.EqualTo(new byte[] { 1 }));
        Assert.That(frontEnd.Ask(24, [.. FrontEnd.Bytes(200u, 60u), .. new byte[64]]).Payload, Is.Empty, "an error");
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(frontEnd.GetConfig(0, 8)), Is.EqualTo(1UL << 21));
    }

    [Test]
    public async Task The_cache_mode_can_be_switched_and_resets([Values] bool writeThrough)
    {
        await using TestDisk disk = await TestDisk.CreateAsync(writeThrough: writeThrough);
        byte first = writeThrough ? (byte)0 : (byte)1;
        using (var guest = new TestGuest(disk))
        {
            Assert.That(guest.FrontEnd.GetConfig(32, 1)[0], Is.EqualTo(first));
            Assert.That(guest.FrontEnd.Set(25, [.. FrontEnd.Bytes(32, 1), .. new byte[4], (byte)(1 - first)]), Is.Zero);
            Assert.That(guest.FrontEnd.GetConfig(32, 1)[0], Is.EqualTo(1 - first));
            Assert.That(await disk.OnIo(() => disk.Backend.WriteCacheEnabled), Is.EqualTo(first == 0));
            Assert.That(guest.Disk.Write(0, new byte[512]).Status, Is.Zero);
            Assert.That(guest.FrontEnd.Set(25, [.. FrontEnd.Bytes(0, 1), .. new byte[4], 7]), Is.GreaterThan(0), "the capacity is not the driver's");
        }
        using var next = new TestGuest(disk);
        Assert.That(next.FrontEnd.GetConfig(32, 1)[0], Is.EqualTo(first));
    }

    [Test]
    public async Task A_driver_that_cannot_flush_gets_durable_writes()
    {
        await using TestDisk disk = await TestDisk.CreateAsync();
        using var guest = new TestGuest(disk, features: ~(FrontEnd.FeatureFlush | FrontEnd.FeatureConfigWce));
        Assert.That(await disk.OnIo(() => disk.Backend.WriteCacheEnabled), Is.False);
        Assert.That(guest.Disk.Write(0, new byte[512]).Status, Is.Zero);
    }

    [Test]
    public async Task Serving_allocates_nothing([Values] bool nullDriver, [Values] bool packed)
    {
        await using TestDisk disk = await TestDisk.CreateAsync(nullDriver: nullDriver);
        using var guest = new TestGuest(disk, packed, eventIndex: true, size: 128);
        // Chains are built once and used again: only the device's side may cost anything, and that costs nothing.
        void Load(int rounds)
        {
            for (int round = 0; round < rounds; round++)
            {
                for (int i = 0; i < 32; i++)
                {
                    guest.Ring.Add(
                        [new(GuestRam.FirstAddress + Header, 16, false), new(GuestRam.FirstAddress + Data + (ulong)i * 4096, 4096, true), new(GuestRam.FirstAddress + Status, 1, true)],
                        indirect: false);
                }
                guest.Ring.PublishAndKick();
                for (int i = 0; i < 32; i++)
                {
                    guest.Ring.WaitUsed();
                }
            }
        }
        Load(300);
        long before = await disk.OnIo(GC.GetAllocatedBytesForCurrentThread);
        Load(300);
        long allocated = await disk.OnIo(GC.GetAllocatedBytesForCurrentThread) - before;
        // The two questions themselves may cost a few objects.
        Assert.That(allocated, Is.LessThan(1024), "bytes for 9600 requests");
    }

    private const ulong Header = 0x70_0000;
    private const ulong Status = 0x70_0100;
    private const ulong Data = 0x60_0000;

    private static unsafe Func<byte> s_status = () => 255;

    private byte _status() => s_status();

    private static unsafe int AddCut(TestGuest guest, uint type, ulong sector, byte[] output, int inputBytes, int[] headerPieces, bool together)
    {
        GuestRam ram = guest.Ram;
        byte* memory = ram.Allocate(16 + output.Length + inputBytes + 1, 64);
        *(uint*)memory = type;
        *(ulong*)(memory + 8) = sector;
        output.CopyTo(new Span<byte>(memory + 16, output.Length));
        nuint status = (nuint)(memory + 16 + output.Length + inputBytes);
        *(byte*)status = 255;
        s_status = () => *(byte*)status;
        var buffers = new List<RingBuffer>();
        int at = 0;
        if (together)
        {
            buffers.Add(new(ram.Guest(memory), (uint)(16 + output.Length), false));
            buffers.Add(new(ram.Guest(memory + 16 + output.Length), (uint)(inputBytes + 1), true));
        }
        else
        {
            foreach (int piece in headerPieces)
            {
                buffers.Add(new(ram.Guest(memory + at), (uint)piece, false));
                at += piece;
            }
            buffers.Add(new(ram.Guest(memory + 16), (uint)output.Length, false));
            buffers.Add(new(ram.Guest((void*)status), 1, true));
        }
        return guest.Ring.Add(buffers.ToArray(), indirect: false);
    }

    private static byte[] Pattern(int bytes, int seed)
    {
        byte[] data = new byte[bytes];
        new Random(seed).NextBytes(data);
        return data;
    }
}
