using Qmp.Aio;
using Qmp.Protocol.Schema;

namespace Qmp.Block.Tests;

/// <summary>How a node is built that must behave like any other.</summary>
public enum NodeVariant
{
    File,
    DirectFile,
    Raw,
    RawWindow,
    RawOnRaw,
    DetectZeroes,
    WithBitmap,
    UnmappingRaw,
}

/// <summary>What every node with content does, whatever it is made of, on every engine.</summary>
[TestFixtureSource(nameof(Variants))]
public sealed class NodeBehaviourTests(NodeVariant variant, AioEngineKind kind) : BlockTestBase(kind)
{
    private const long Size = 4 << 20;

    public static IEnumerable<TestFixtureData> Variants()
        => Enum.GetValues<NodeVariant>().SelectMany(static variant => new[]
        {
            new TestFixtureData(variant, AioEngineKind.IoUring),
            new TestFixtureData(variant, AioEngineKind.Threads),
        });

    [Test]
    public Task What_was_written_is_read_back() => OnNode(static async backend =>
    {
        var model = new byte[Size];
        Random random = new(7);
        for (var i = 0; i < 60; i++)
        {
            // Multiples of 512 mostly, odd ranges too.
            var unit = i % 3 == 0 ? 1 : 512;
            var length = random.Next(1, 40000 / unit) * unit;
            var offset = random.NextInt64((Size - length) / unit) * unit;
            var data = new byte[length];
            random.NextBytes(data);
            data.CopyTo(model, offset);
            Assert.That(await backend.WriteAsync(offset, data), Is.Zero);
        }

        await AssertContent(backend, model);
    });

    [Test]
    public Task Zeroes_are_zeroes_and_nothing_else_changes() => OnNode(static async backend =>
    {
        var model = await Fill(backend);
        foreach (var (offset, length, flags) in new[]
        {
            (4096L, 65536L, BlockFlags.None),
            (1 << 20, 1 << 19, BlockFlags.MayUnmap),
            (700001, 12345, BlockFlags.MayUnmap),
            (3 << 20, 4096, BlockFlags.Fua),
            (Size - 1, 1, BlockFlags.None),
        })
        {
            Assert.That(await backend.WriteZeroesAsync(offset, length, flags), Is.Zero);
            model.AsSpan((int)offset, (int)length).Clear();
        }

        await AssertContent(backend, model);
    });

    [Test]
    public Task A_discard_leaves_the_rest_alone() => OnNode(static async backend =>
    {
        var model = await Fill(backend);
        Assert.That(await backend.DiscardAsync(100_000, 1_000_000), Is.Zero);
        var after = await ReadAll(backend);
        Assert.That(after.AsSpan(0, 100_000).SequenceEqual(model.AsSpan(0, 100_000)), Is.True, "before the range");
        Assert.That(after.AsSpan(1_100_000).SequenceEqual(model.AsSpan(1_100_000)), Is.True, "after the range");
    });

    [Test]
    public Task Requests_beyond_the_end_fail() => OnNode(static async backend =>
    {
        var data = new byte[4096];
        Assert.That(await backend.ReadAsync(Size, data), Is.EqualTo(-Errno.EIO));
        Assert.That(await backend.WriteAsync(Size - 4095, data), Is.EqualTo(-Errno.EIO));
        Assert.That(await backend.ReadAsync(-1, data), Is.EqualTo(-Errno.EIO));
        Assert.That(await backend.WriteZeroesAsync(long.MaxValue, 1), Is.EqualTo(-Errno.EIO));
        Assert.That(await backend.DiscardAsync(0, long.MaxValue), Is.EqualTo(-Errno.EIO));
        Assert.That(await backend.ReadAsync(Size, Memory<byte>.Empty), Is.Zero, "nothing at the end is fine");
    });

    [Test]
    public Task Flush_and_durable_writes_succeed() => OnNode(static async backend =>
    {
        Assert.That(await backend.WriteAsync(0, new byte[] { 1, 2, 3 }, BlockFlags.Fua), Is.Zero);
        Assert.That(await backend.FlushAsync(), Is.Zero);
        backend.WriteCacheEnabled = false;
        Assert.That(await backend.WriteAsync(8192, new byte[4096]), Is.Zero);
        var three = new byte[3];
        Assert.That(await backend.ReadAsync(0, three), Is.Zero);
        Assert.That(three, Is.EqualTo(new byte[] { 1, 2, 3 }));
    });

    [Test]
    public Task A_list_longer_than_the_kernel_takes_is_served() => OnNode(static async backend =>
    {
        using ScatterRequest write = new(BlockOp.Write, 1 << 20, 2500, 512);
        write.FillRandom(3);
        backend.Submit(write);
        Assert.That(await write.Completion, Is.Zero);
        using ScatterRequest read = new(BlockOp.Read, 1 << 20, 1250, 1024);
        backend.Submit(read);
        Assert.That(await read.Completion, Is.Zero);
        Assert.That(read.Content.SequenceEqual(write.Content), Is.True);
    });

    [Test]
    public Task Many_at_once_all_complete_once() => OnNode(static async backend =>
    {
        ScatterRequest[] writes = [.. Enumerable.Range(0, 200).Select(static i => new ScatterRequest(BlockOp.Write, i * 16384, 4, 4096))];
        for (var i = 0; i < writes.Length; i++)
        {
            writes[i].FillRandom(i);
            backend.Submit(writes[i]);
        }

        foreach (var write in writes)
        {
            Assert.That(await write.Completion, Is.Zero);
        }

        Assert.That(backend.InFlight, Is.Zero);
        for (var i = 0; i < writes.Length; i++)
        {
            using ScatterRequest read = new(BlockOp.Read, i * 16384, 1, 16384);
            backend.Submit(read);
            Assert.That(await read.Completion, Is.Zero);
            Assert.That(read.Content.SequenceEqual(writes[i].Content), Is.True);
            writes[i].Dispose();
        }
    });

    [Test]
    public Task Overlapping_odd_writes_do_not_tear_their_neighbours() => OnNode(static async backend =>
    {
        // Each writes 100 bytes next to the others: padded writes that overlap must wait for each other.
        ScatterRequest[] writes = [.. Enumerable.Range(0, 64).Select(static i => new ScatterRequest(BlockOp.Write, 50 + (i * 100), 1, 100))];
        foreach (var (i, write) in writes.Index())
        {
            write.FillRandom(i);
            backend.Submit(write);
        }

        foreach (var write in writes)
        {
            Assert.That(await write.Completion, Is.Zero);
        }

        foreach (var write in writes)
        {
            using ScatterRequest read = new(BlockOp.Read, write.Offset, 1, 100);
            backend.Submit(read);
            Assert.That(await read.Completion, Is.Zero);
            Assert.That(read.Content.SequenceEqual(write.Content), Is.True);
            write.Dispose();
        }
    });

    [Test]
    public async Task A_read_only_user_cannot_write()
    {
        await Main.Enter();
        var node = await BuildAsync();
        var backend = await UseAsync(node, BlockPermissions.ConsistentRead);
        await backend.Home.Enter();
        Assert.That(await backend.WriteAsync(0, new byte[512]), Is.EqualTo(-Errno.EPERM));
        Assert.That(await backend.DiscardAsync(0, 512), Is.EqualTo(-Errno.EPERM));
        Assert.That(backend.Stats.Of(BlockOp.Write).Invalid, Is.EqualTo(1));
    }

    [Test]
    public Task What_a_node_served_is_counted() => OnNode(static async backend =>
    {
        await backend.WriteAsync(0, new byte[1024]);
        await backend.ReadAsync(0, new byte[512]);
        await backend.ReadAsync(0, new byte[512]);
        await backend.FlushAsync();
        await backend.ReadAsync(Size, new byte[512]);
        var reads = backend.Stats.Of(BlockOp.Read);
        Assert.That((reads.Operations, reads.Bytes, reads.Failed), Is.EqualTo((2, 1024, 1)));
        Assert.That(backend.Stats.Of(BlockOp.Write).Bytes, Is.EqualTo(1024));
        Assert.That(backend.Stats.Of(BlockOp.Flush).Operations, Is.EqualTo(1));
    });

    [Test]
    public async Task Steady_state_allocates_nothing()
    {
        await Main.Enter();
        var node = await BuildAsync();
        var backend = await UseAsync(node);
        var loop = NewLoop("io");
        await Graph.MoveToContextAsync(node, loop);
        await loop.Enter();
        await new SteadyLoad(backend).RunAsync(2000);

        // The load makes its requests first, so the difference between a short and a long run is what requests cost.
        var shortRun = await AllocatedAsync(1000);
        var longRun = await AllocatedAsync(21000);
        Assert.That(longRun - shortRun, Is.LessThan(10000), "bytes allocated by 20000 requests");

        async Task<long> AllocatedAsync(int count)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            await new SteadyLoad(backend).RunAsync(count);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static async Task<byte[]> Fill(BlockBackend backend)
    {
        var model = new byte[Size];
        new Random(1).NextBytes(model);
        Assert.That(await backend.WriteAsync(0, model), Is.Zero);
        return model;
    }

    private static async Task<byte[]> ReadAll(BlockBackend backend)
    {
        var content = new byte[Size];
        Assert.That(await backend.ReadAsync(0, content), Is.Zero);
        return content;
    }

    private static async Task AssertContent(BlockBackend backend, byte[] model)
    {
        var content = await ReadAll(backend);
        Assert.That(content.AsSpan().CommonPrefixLength(model), Is.EqualTo(Size), "first difference");
    }

    private async Task OnNode(Func<BlockBackend, Task> body)
    {
        await Main.Enter();
        var node = await BuildAsync();
        var loop = NewLoop("io");
        var backend = await UseAsync(node);
        await Graph.MoveToContextAsync(node, loop);
        await loop.Enter();
        await body(backend).WaitAsync(Patience);
    }

    private async Task<BlockNode> BuildAsync()
    {
        var path = MakeFile("a.img", variant is NodeVariant.RawWindow ? Size + (3 << 20) : Size);
        switch (variant)
        {
            case NodeVariant.DirectFile:
                var direct = FileOptions("f", path);
                direct.Cache = new BlockdevCacheOptions { Direct = true };
                return await Graph.OpenAsync(direct);
            case NodeVariant.Raw:
                await Graph.OpenAsync(FileOptions("f", path));
                return await Graph.OpenAsync(RawOptions("r", "f"));
            case NodeVariant.RawWindow:
                await Graph.OpenAsync(FileOptions("f", path));
                return await Graph.OpenAsync(RawOptions("r", "f", 1 << 20, Size));
            case NodeVariant.RawOnRaw:
                await Graph.OpenAsync(FileOptions("f", path));
                await Graph.OpenAsync(RawOptions("r0", "f"));
                return await Graph.OpenAsync(RawOptions("r", "r0"));
            case NodeVariant.DetectZeroes:
                var detecting = FileOptions("f", path);
                detecting.Discard = BlockdevDiscardOptions.Unmap;
                detecting.DetectZeroes = BlockdevDetectZeroesOptions.Unmap;
                return await Graph.OpenAsync(detecting);
            case NodeVariant.WithBitmap:
                var node = await Graph.OpenAsync(FileOptions("f", path));
                await BlockTransaction.RunAsync(Graph, [new BitmapAddAction("f", "b", null, false, false)]);
                return node;
            case NodeVariant.UnmappingRaw:
                return await Graph.OpenAsync(new BlockdevOptions
                {
                    Driver = BlockdevDriver.Raw,
                    NodeName = "r",
                    Discard = BlockdevDiscardOptions.Unmap,
                    Raw = new BlockdevOptionsRaw { File = new BlockdevRef { Definition = new BlockdevOptions { Driver = BlockdevDriver.File, File = new BlockdevOptionsFile { Filename = path } } } },
                });
            case NodeVariant.File:
            default:
                return await Graph.OpenAsync(FileOptions("f", path));
        }
    }
}
