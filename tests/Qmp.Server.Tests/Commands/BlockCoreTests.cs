using Qmp.Block;

namespace Qmp.Server.Tests.Commands;

/// <summary>What the sessions recorded from the real daemon do not show: bytes behind the replies, and where QEMU crashes.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class BlockCoreTests
{
    private TestServer _server = null!;
    private TestClient _client = null!;

    [SetUp]
    public void Start()
    {
        _server = new TestServer();
        _client = _server.Connect();
    }

    [TearDown]
    public ValueTask Stop() => _server.DisposeAsync();

    [Test]
    public async Task ANodeIsDescribedAsTheRealDaemonDoes()
    {
        await _client.DoAsync("blockdev-add", """{"driver": "null-co", "node-name": "n", "size": 1048576}""");
        await _client.DoAsync("block-dirty-bitmap-add", """{"node": "n", "name": "a"}""");
        await _client.DoAsync("block-dirty-bitmap-add", """{"node": "n", "name": "c", "granularity": 4096, "disabled": true}""");
        Assert.That(
            await _client.SayAsync("query-named-block-nodes"),
            Is.EqualTo("""[{"iops_rd": 0, "detect_zeroes": "off", "active": true, "image": {"limits": {"request-alignment": 1, "min-mem-alignment": 512, "opt-mem-alignment": 4096, "max-iov": 1024}, "virtual-size": 1048576, "filename": "json:{\"driver\": \"null-co\", \"size\": 1048576}", "format": "null-co", "actual-size": 0}, "iops_wr": 0, "ro": false, "children": [], "node-name": "n", "backing_file_depth": 0, "drv": "null-co", "iops": 0, "bps_wr": 0, "write_threshold": 0, "dirty-bitmaps": [{"name": "c", "recording": false, "persistent": false, "busy": false, "granularity": 4096, "count": 0}, {"name": "a", "recording": true, "persistent": false, "busy": false, "granularity": 65536, "count": 0}], "encrypted": false, "bps": 0, "bps_rd": 0, "cache": {"no-flush": false, "direct": false, "writeback": true}, "file": "json:{\"driver\": \"null-co\", \"size\": 1048576}"}]"""));
    }

    [Test]
    public async Task TheFurthestWriteIsCounted()
    {
        await _client.DoAsync("blockdev-add", """{"driver": "null-co", "node-name": "n"}""");
        await _server.OnMainAsync(async () =>
        {
            BlockBackend backend = await BlockBackend.CreateAsync(
                _server.Graph, _server.Graph.Find("n"), "test", BlockPermissions.Write, BlockPermissions.All, client: null);
            await backend.WriteAsync(8192, new byte[4096]);
            await backend.WriteAsync(0, new byte[4096]);
            await backend.CloseAsync();
        });
        Assert.That(await _client.SayAsync("query-blockstats", """{"query-nodes": true}"""), Does.Contain("\"wr_highest_offset\": 12288,"));
    }

    [TestCase("main")]
    [TestCase("io0")]
    public async Task TheFirstWriteBeyondAThresholdIsAnnouncedOnce(string loop)
    {
        await _client.DoAsync("object-add", """{"qom-type": "iothread", "id": "io0"}""");
        await _client.DoAsync("blockdev-add", """{"driver": "null-co", "node-name": "n", "size": 1048576}""");
        if (loop != "main")
        {
            await _client.DoAsync("x-blockdev-set-iothread", $$"""{"node-name": "n", "iothread": "{{loop}}"}""");
        }

        await WriteAsync(524288, zeroes: false);
        await _client.DoAsync("block-set-write-threshold", """{"node-name": "n", "write-threshold": 65536}""");
        await WriteAsync(61440, zeroes: false); // ends at it
        Assert.That(await _client.SayAsync("query-named-block-nodes"), Does.Contain("\"write_threshold\": 65536,"));
        await WriteAsync(61952, zeroes: false);
        await WriteAsync(131072, zeroes: false);
        Assert.That(
            await _server.NextEventAsync(),
            Is.EqualTo("""BLOCK_WRITE_THRESHOLD {"node-name": "n", "write-threshold": 65536, "amount-exceeded": 512}"""));
        Assert.That(await _client.SayAsync("query-named-block-nodes"), Does.Contain("\"write_threshold\": 0,"));

        await _client.DoAsync("block-set-write-threshold", """{"node-name": "n", "write-threshold": 1}""");
        await WriteAsync(131072, zeroes: true);
        Assert.That(await _server.NextEventAsync(), Does.Contain("\"amount-exceeded\": 135167"));
        await _client.DoAsync("block-set-write-threshold", """{"node-name": "n", "write-threshold": 1}""");
        await _client.DoAsync("block-set-write-threshold", """{"node-name": "n", "write-threshold": 0}""");
        await WriteAsync(131072, zeroes: false);
        Assert.That(await _client.SayAsync("query-block"), Is.EqualTo("[]"));
        Assert.That(_server.HasEvents, Is.False);

        Task WriteAsync(long offset, bool zeroes) => _server.OnMainAsync(async () =>
        {
            BlockBackend backend = await BlockBackend.CreateAsync(
                _server.Graph, _server.Graph.Find("n"), "test", BlockPermissions.Write, BlockPermissions.All, client: null);
            await backend.Home.Enter();
            Assert.That(zeroes ? await backend.WriteZeroesAsync(offset, 4096) : await backend.WriteAsync(offset, new byte[4096]), Is.Zero);
            await _server.Main.Enter();
            await backend.CloseAsync();
        });
    }

    [Test]
    public async Task DiscardsAreCounted()
    {
        string path = Path.GetTempFileName();
        try
        {
            await _client.DoAsync("blockdev-add", $$"""{"driver": "file", "node-name": "f", "filename": "{{path}}", "discard": "unmap"}""");
            await _client.DoAsync("block_resize", """{"node-name": "f", "size": 1048576}""");
            await _server.OnMainAsync(async () =>
            {
                BlockBackend backend = await BlockBackend.CreateAsync(
                    _server.Graph, _server.Graph.Find("f"), "test", BlockPermissions.Write, BlockPermissions.All, client: null);
                Assert.That(await backend.DiscardAsync(65536, 131072), Is.Zero);
                await backend.CloseAsync();
            });
            Assert.That(
                await _client.SayAsync("query-blockstats", """{"query-nodes": true}"""),
                Does.Contain("""{"discard-bytes-ok": 131072, "discard-nb-ok": 1, "driver": "file", "discard-nb-failed": 0}""")
                .Or.Contain("""{"discard-bytes-ok": 0, "discard-nb-ok": 0, "driver": "file", "discard-nb-failed": 1}"""));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestCase("blockdev-reopen", """{"options": []}""", "{}")]
    [TestCase("block-dirty-bitmap-merge", """{"node": "n", "target": "b", "bitmaps": []}""", "{}")]
    [TestCase("transaction", """{"actions": [{"type": "block-dirty-bitmap-enable", "data": {"node": "n", "name": "nope"}}]}""", "GenericError: Dirty bitmap 'nope' not found")]
    [TestCase("blockdev-add", """{"driver": "null-co", "node-name": "m", "size": -1}""", "GenericError: Parameter 'size' expects a non-negative size")]
    public async Task WhatCrashesTheRealDaemonIsAnswered(string command, string arguments, string reply)
    {
        await _client.DoAsync("blockdev-add", """{"driver": "null-co", "node-name": "n"}""");
        await _client.DoAsync("block-dirty-bitmap-add", """{"node": "n", "name": "b"}""");
        Assert.That(await _client.SayAsync(command, arguments), Is.EqualTo(reply));
        Assert.That(await _client.SayAsync("query-block"), Is.EqualTo("[]"));
    }

    [Test]
    public async Task ANodeIsResizedWhereItLives()
    {
        await _client.DoAsync("object-add", """{"qom-type": "iothread", "id": "io0"}""");
        string path = Path.GetTempFileName();
        try
        {
            await _client.DoAsync("blockdev-add", $$"""{"driver": "file", "node-name": "f", "filename": "{{path}}"}""");
            await _client.DoAsync("x-blockdev-set-iothread", """{"node-name": "f", "iothread": "io0"}""");
            await _client.DoAsync("block-dirty-bitmap-add", """{"node": "f", "name": "b"}""");
            await _client.DoAsync("block_resize", """{"node-name": "f", "size": 1048576}""");
            Assert.That(new FileInfo(path).Length, Is.EqualTo(1048576));
            await _client.DoAsync("block_resize", """{"node-name": "f", "size": 4096}""");
            Assert.That(new FileInfo(path).Length, Is.EqualTo(4096));
            Assert.That(await _client.SayAsync("query-named-block-nodes"), Does.Contain("\"virtual-size\": 4096"));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
