using System.Globalization;
using System.Text.Json;
using Qmp.Testing;

namespace Interop.Guest;

/// <summary>A real Linux kernel uses a disk, and the image afterwards holds exactly what it wrote.</summary>
[TestFixture]
public sealed class GuestTests
{
    private const int Mebibyte = 1 << 20;
    private const int DiskSize = 32 * Mebibyte;

    private WorkFolder _folder = null!;

    private string Image => _folder.File("disk.img");

    [SetUp]
    public void CreateImage()
    {
        _folder = new WorkFolder();
        using FileStream image = File.Create(Image);
        image.SetLength(DiskSize);
    }

    [TearDown]
    public void RemoveImage() => _folder.Dispose();

    [Test]
    public Task WorksOnADiskThatIsResizedAndDrained() => RunDiskStoryAsync(DaemonProgram.Qmpd);

    [Test]
    public Task GoesOnWhenTheDaemonIsKilledAndStartedAgain() => RunCrashStoryAsync(DaemonProgram.Qmpd);

    /// <summary>Tests the guest itself. What the peer cannot do is left out.</summary>
    [Explicit("tests the tests")]
    [Test]
    public Task WorksOnAPeerDisk() => RunDiskStoryAsync(DaemonProgram.Peer!);

    private async Task RunDiskStoryAsync(DaemonProgram program)
    {
        bool ours = program == DaemonProgram.Qmpd;
        byte[] expected = new byte[DiskSize];
        await using (Daemon daemon = await StartDaemonAsync(program))
        await using (QmpLineClient qmp = await daemon.ConnectAsync())
        await using (GuestMachine guest = await GuestMachine.BootAsync(_folder.Path, _folder.File("disk.sock")))
        {
            Assert.That(await guest.RunAsync("cat /sys/block/vda/size"), Is.EqualTo(Sectors(DiskSize)));
            Assert.That(await guest.RunAsync("cat /sys/block/vda/serial; echo"), Is.EqualTo(ours ? "disk0" : "vhost_user_blk"));

            await WriteAndReadBackAsync(guest, expected);
            if (ours)
            {
                // Otherwise a sync in the guest would not become a flush of the image.
                Assert.That(await guest.RunAsync("cat /sys/block/vda/queue/write_cache"), Is.EqualTo("write back"));
            }

            await DiscardAsync(guest, expected);
            if (ours)
            {
                expected = await ResizeAsync(guest, qmp, expected);
                await DrainAsync(guest, qmp, expected);
            }

            await guest.RunAsync("sync");
        }

        AssertImage(expected);
    }

    private async Task WriteAndReadBackAsync(GuestMachine guest, byte[] expected)
    {
        await WriteAsync(guest, expected, generation: 0, offset: 0, length: 4 * Mebibyte);
        await WriteAsync(guest, expected, generation: 1, offset: 21 * Mebibyte, length: 2 * Mebibyte);
        await guest.RunAsync("echo 3 > /proc/sys/vm/drop_caches");
        await AssertReadsAsync(guest, generation: 0, offset: 0, length: 4 * Mebibyte);
        await AssertReadsAsync(guest, generation: 1, offset: 21 * Mebibyte, length: 2 * Mebibyte);
        Assert.That(
            await guest.RunAsync("dd if=/dev/vda bs=1M skip=8 count=4 2>/dev/null | tr -d '\\0' | wc -c"), Is.EqualTo("0"));
    }

    private async Task DiscardAsync(GuestMachine guest, byte[] expected)
    {
        long before = AllocatedBytes();
        await guest.RunAsync($"blkdiscard -o {Mebibyte} -l {2 * Mebibyte} /dev/vda");
        expected.AsSpan(Mebibyte, 2 * Mebibyte).Clear();
        Assert.That(AllocatedBytes(), Is.LessThanOrEqualTo(before - (2 * Mebibyte)));
    }

    private async Task<byte[]> ResizeAsync(GuestMachine guest, QmpLineClient qmp, byte[] expected)
    {
        const int Grown = DiskSize + (8 * Mebibyte);
        await qmp.ExecuteAsync("block_resize", $$"""{"node-name": "disk", "size": {{Grown}}}""");
        await guest.WaitUntilAsync($"[ $(cat /sys/block/vda/size) = {Sectors(Grown)} ]");
        Array.Resize(ref expected, Grown);
        await WriteAsync(guest, expected, generation: 2, offset: Grown - Mebibyte, length: Mebibyte);

        const int Shrunk = Grown - (4 * Mebibyte);
        await qmp.ExecuteAsync("block_resize", $$"""{"node-name": "disk", "size": {{Shrunk}}}""");
        await guest.WaitUntilAsync($"[ $(cat /sys/block/vda/size) = {Sectors(Shrunk)} ]");
        Array.Resize(ref expected, Shrunk);
        return expected;
    }

    private async Task DrainAsync(GuestMachine guest, QmpLineClient qmp, byte[] expected)
    {
        const int Offset = 12 * Mebibyte;
        await guest.RunAsync($"{Pattern.Command(3, Mebibyte)} > /tmp/data");
        await qmp.ExecuteAsync("block-drain-begin", """{"id": "d"}""");
        await guest.RunAsync($"(dd if=/tmp/data of=/dev/vda bs=64k oflag=direct seek={Offset / 65536}; echo $? > /tmp/done) "
            + "> /dev/null 2>&1 < /dev/null &");

        // The request reaches the ring, and stays there.
        await guest.WaitUntilAsync("[ \"$(awk '{ print $1 + $2 }' /sys/block/vda/inflight)\" -gt 0 ]");
        for (int i = 0; i < 5; i++)
        {
            Assert.That(await guest.RunAsync("ls /tmp"), Does.Not.Contain("done"), "a write was served inside the section");
        }

        Assert.That(ReadImage(Offset, Mebibyte), Is.All.Zero, "a write was served inside the section");
        JsonElement drains = await qmp.ExecuteAsync("query-block-drains");
        Assert.That(drains.GetArrayLength(), Is.EqualTo(1));

        await qmp.ExecuteAsync("block-drain-end", """{"id": "d"}""");
        await guest.WaitUntilAsync("[ -s /tmp/done ]");
        Assert.That(await guest.RunAsync("cat /tmp/done"), Is.EqualTo("0"));
        Pattern.Bytes(3, Mebibyte).CopyTo(expected, Offset);
    }

    private async Task RunCrashStoryAsync(DaemonProgram program)
    {
        const int Length = 8 * Mebibyte;
        const int Writers = 4;
        const int BlocksOfWriter = Length / Writers / 4096;
        byte[] expected = new byte[DiskSize];
        Daemon daemon = await StartDaemonAsync(program);
        try
        {
            await using GuestMachine guest = await GuestMachine.BootAsync(_folder.Path, _folder.File("disk.sock"));
            await WriteAsync(guest, expected, generation: 0, offset: 16 * Mebibyte, length: 4 * Mebibyte);
            await guest.RunAsync($"{Pattern.Command(1, Length)} > /tmp/data");
            for (int round = 0; round < 2; round++)
            {
                await guest.RunAsync("rm -f /tmp/done*");
                long before = await SectorsWrittenAsync(guest);
                for (int part = 0; part < Writers; part++)
                {
                    string at = $"skip={part * BlocksOfWriter} seek={part * BlocksOfWriter} count={BlocksOfWriter}";
                    await guest.RunAsync($"(dd if=/tmp/data of=/dev/vda bs=4k oflag=direct {at}; echo $? > /tmp/done{part}) "
                        + "> /dev/null 2>&1 < /dev/null &");
                }

                await guest.WaitUntilAsync($"[ $(awk '{{ print $7 }}' /sys/block/vda/stat) -gt {before + 64} ]");
                await daemon.KillAsync();
                await daemon.DisposeAsync();
                daemon = await StartDaemonAsync(program);
                await guest.WaitUntilAsync("[ \"$(cat /tmp/done* 2>/dev/null | wc -l)\" = 4 ]");
                Assert.That(await guest.RunAsync("cat /tmp/done*"), Is.EqualTo("0\n0\n0\n0"), "the guest saw an error");
            }

            Pattern.Bytes(1, Length).CopyTo(expected, 0);
            await guest.RunAsync("sync; echo 3 > /proc/sys/vm/drop_caches");
            await AssertReadsAsync(guest, generation: 1, offset: 0, length: Length);
            await AssertReadsAsync(guest, generation: 0, offset: 16 * Mebibyte, length: 4 * Mebibyte);
        }
        finally
        {
            await daemon.DisposeAsync();
        }

        AssertImage(expected);
    }

    private Task<Daemon> StartDaemonAsync(DaemonProgram program) => Daemon.StartWithMonitorAsync(program, _folder.Path,
    [
        "--object", "iothread,id=loop0",
        "--blockdev", "driver=file,node-name=disk,filename=disk.img,discard=unmap",
        "--export", $"type=vhost-user-blk,id=disk0,node-name=disk,writable=on,iothread=loop0,addr.type=unix,addr.path={_folder.File("disk.sock")}",
    ]);

    private static async Task WriteAsync(GuestMachine guest, byte[] expected, int generation, int offset, int length)
    {
        await guest.RunAsync($"{Pattern.Command(generation, length)} | "
            + $"dd of=/dev/vda bs=64k iflag=fullblock seek={offset / 65536} conv=notrunc,fsync 2>/dev/null");
        Pattern.Bytes(generation, length).CopyTo(expected, offset);
    }

    private static async Task AssertReadsAsync(GuestMachine guest, int generation, int offset, int length) =>
        await guest.RunAsync($"{Pattern.Command(generation, length)} > /tmp/expected; "
            + $"dd if=/dev/vda bs=64k skip={offset / 65536} count={length / 65536} 2>/dev/null | cmp - /tmp/expected; "
            + "status=$?; rm /tmp/expected; exit $status");

    private static async Task<long> SectorsWrittenAsync(GuestMachine guest) =>
        long.Parse(await guest.RunAsync("awk '{ print $7 }' /sys/block/vda/stat"), CultureInfo.InvariantCulture);

    private static string Sectors(long bytes) => (bytes / 512).ToString(CultureInfo.InvariantCulture);

    private long AllocatedBytes() =>
        512 * long.Parse(Shell.CheckAsync("stat -c %b disk.img", _folder.Path).GetAwaiter().GetResult(), CultureInfo.InvariantCulture);

    private byte[] ReadImage(int offset, int length)
    {
        using FileStream image = File.Open(Image, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        image.Position = offset;
        byte[] bytes = new byte[length];
        image.ReadExactly(bytes);
        return bytes;
    }

    private void AssertImage(byte[] expected)
    {
        byte[] found = File.ReadAllBytes(Image);
        Assert.That(found, Has.Length.EqualTo(expected.Length));
        int difference = found.AsSpan().CommonPrefixLength(expected);
        Assert.That(difference, Is.EqualTo(expected.Length), "the image holds something else from this byte on");
    }
}
