using System.Diagnostics;
using System.Text.Json;
using Qmp.Testing;

namespace Interop;

/// <summary>
/// A front end that checks every byte it reads loads a disk, in the shapes that guests use, alone and while QMP works
/// on the same disk.
/// </summary>
[TestFixture]
public sealed class DiskLoadTests
{
    private const long DiskSize = 64 << 20;

    private static readonly string[] Mixed =
        ["--rw", "mixed", "--read-pct", "40", "--flush-pct", "2", "--discard-pct", "3", "--zero-pct", "5", "--verify", "--verify-all"];

    [TestCase("", "--depth 32")]
    [TestCase("", "--depth 1 --no-indirect --no-event-idx")]
    [TestCase("", "--depth 8 --bs 65536 --segs 16")]
    [TestCase("", "--depth 8 --bs 65536 --segs 16 --no-indirect --regions 8")]
    [TestCase("", "--depth 16 --bs 512")]
    [TestCase("", "--depth 32 --poll")]
    [TestCase(",aio=io_uring", "--depth 32 --regions 4")]
    [TestCase(",aio=native,cache.direct=on", "--depth 32")]
    [TestCase(",detect-zeroes=unmap", "--depth 32")]
    public async Task EveryByteIsRight(string file, string shape)
    {
        await using DiskServer server = await DiskServer.StartAsync(DiskSize, file: file);
        server.AssertGood(await server.LoadAsync([.. Mixed, "--range", "8M", "--ops", "20000", "--seconds", "60", .. shape.Split(' ')]));
    }

    [Test]
    public async Task FourQueuesShareADisk()
    {
        await using DiskServer server = await DiskServer.StartAsync(DiskSize, queues: 4);
        server.AssertGood(await server.LoadAsync(
            [.. Mixed, "--range", "16M", "--ops", "20000", "--seconds", "60", "--queues", "4", "--threads", "2", "--depth", "16"]));
    }

    [Test]
    public async Task AFrontEndThatIsKilledLeavesTheDiskToTheNext()
    {
        await using DiskServer server = await DiskServer.StartAsync(DiskSize);
        string load = await LoadGenerator.DiskAsync();
        for (int round = 0; round < 3; round++)
        {
            using Process frontEnd = Process.Start(new ProcessStartInfo(
                load, ["--socket", server.Socket, "--rw", "randwrite", "--depth", "64", "--seconds", "100"])
            {
                RedirectStandardOutput = true,
            })!;
            try
            {
                await WaitForWritesAsync(server);
            }
            finally
            {
                frontEnd.Kill();
                await frontEnd.WaitForExitAsync();
            }

            await server.Qmp.ExecuteAsync("block-dirty-bitmap-remove", """{"node": "disk", "name": "written"}""");
            server.AssertGood(await server.LoadAsync([.. Mixed, "--range", "4M", "--init", "--ops", "2000", "--depth", "16"]));
        }
    }

    [Test]
    public async Task QmpWorksOnADiskUnderLoad()
    {
        await using DiskServer server = await DiskServer.StartAsync(DiskSize);
        QmpLineClient qmp = server.Qmp;
        Task<ShellResult> load = server.LoadAsync([.. Mixed, "--range", "16M", "--seconds", "6", "--depth", "32"]);
        await WaitForWritesAsync(server);

        for (int round = 0; !load.IsCompleted; round++)
        {
            await qmp.ExecuteAsync("block-drain", """{"nodes": ["disk"]}""");
            await qmp.ExecuteAsync("block-drain-begin", """{"id": "a"}""");
            await qmp.ExecuteAsync("block-dirty-bitmap-clear", """{"node": "disk", "name": "written"}""");
            await qmp.ExecuteAsync("query-block-exports");
            Assert.That(await WrittenAsync(qmp), Is.Zero, "a write was served inside the section");
            await qmp.ExecuteAsync("block-drain-end", """{"id": "a"}""");
            await qmp.ExecuteAsync("block_resize", $$"""{"node-name": "disk", "size": {{DiskSize + ((round % 2) << 20)}}}""");
            await qmp.ExecuteAsync("transaction", """
                {"actions": [{"type": "block-dirty-bitmap-add", "data": {"node": "disk", "name": "b"}},
                             {"type": "block-dirty-bitmap-add", "data": {"node": "disk", "name": "c"}}]}
                """);
            await qmp.ExecuteAsync("transaction", """
                {"actions": [{"type": "block-dirty-bitmap-remove", "data": {"node": "disk", "name": "b"}},
                             {"type": "block-dirty-bitmap-remove", "data": {"node": "disk", "name": "c"}}]}
                """);
        }

        server.AssertGood(await load);
    }

    [Test]
    public async Task ADiskMovesBetweenLoopsUnderLoad()
    {
        await using DiskServer server = await DiskServer.StartAsync(DiskSize);
        await server.Qmp.ExecuteAsync("object-add", """{"qom-type": "iothread", "id": "loop1"}""");
        Task<ShellResult> load = server.LoadAsync([.. Mixed, "--range", "16M", "--seconds", "4", "--depth", "32"]);
        await WaitForWritesAsync(server);
        string[] loops = ["\"loop1\"", "null", "\"loop0\""];
        for (int round = 0; !load.IsCompleted; round++)
        {
            await server.Qmp.ExecuteAsync("x-blockdev-set-iothread",
                $$"""{"node-name": "disk", "force": true, "iothread": {{loops[round % loops.Length]}}}""");
        }

        server.AssertGood(await load);
    }

    [Test]
    public async Task AResizeReachesTheFrontEnd()
    {
        await using DiskServer server = await DiskServer.StartAsync(DiskSize);
        string load = await LoadGenerator.DiskAsync();
        using Process frontEnd = Process.Start(new ProcessStartInfo(load, ["--socket", server.Socket, "--watch-config", "60"])
        {
            RedirectStandardOutput = true,
        })!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Assert.That(await frontEnd.StandardOutput.ReadLineAsync(limit.Token), Is.EqualTo($"capacity {DiskSize / 512}"));
        await server.Qmp.ExecuteAsync("block_resize", $$"""{"node-name": "disk", "size": {{2 * DiskSize}}}""");
        string? message = await frontEnd.StandardOutput.ReadLineAsync(limit.Token);
        await frontEnd.WaitForExitAsync(limit.Token);
        Assert.That(message, Does.EndWith($"capacity {2 * DiskSize / 512}"));
        Assert.That(frontEnd.ExitCode, Is.Zero);
        Assert.That(new FileInfo(server.Image).Length, Is.EqualTo(2 * DiskSize));
    }

    // A dirty bitmap sees every write.
    private static async Task WaitForWritesAsync(DiskServer server)
    {
        const string Bitmap = """{"node": "disk", "name": "written"}""";
        await server.Qmp.ExecuteAsync("block-dirty-bitmap-add", Bitmap);
        var clock = Stopwatch.StartNew();
        while (await WrittenAsync(server.Qmp) < 1 << 20)
        {
            Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(60)), "the load makes no progress");
        }
    }

    private static async Task<long> WrittenAsync(QmpLineClient qmp)
    {
        JsonElement nodes = await qmp.ExecuteAsync("query-named-block-nodes");
        return nodes.EnumerateArray().Single(node => node.GetProperty("node-name").GetString() == "disk")
            .GetProperty("dirty-bitmaps").EnumerateArray()
            .Single(bitmap => bitmap.GetProperty("name").GetString() == "written").GetProperty("count").GetInt64();
    }
}
