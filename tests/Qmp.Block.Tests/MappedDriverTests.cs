using Qmp.Aio;
using Qmp.Protocol.Schema;

namespace Qmp.Block.Tests;

/// <summary>
/// A driver that answers "these bytes are in that child, at that offset", as image formats do: 64 KiB blocks of its file
/// in reverse order.
/// </summary>
[TestFixture(AioEngineKind.IoUring)]
[TestFixture(AioEngineKind.Threads)]
public sealed class MappedDriverTests(AioEngineKind kind) : BlockTestBase(kind)
{
    private const int BlockSize = 65536;
    private const int BlockCount = 16;

    [Test]
    public async Task What_is_mapped_goes_straight_to_the_file_and_the_rest_through_the_driver()
    {
        await Main.Enter();
        var path = MakeFile("a.img", BlockSize * BlockCount);
        await Graph.OpenAsync(FileOptions("f", path));
        ReversingDriver driver = new("f");
        var node = await Graph.OpenAsync(driver, "m");
        var backend = await UseAsync(node);
        await Graph.MoveToContextAsync(node, NewLoop("io"));
        await backend.Home.Enter();
        var model = new byte[BlockSize * BlockCount];
        new Random(1).NextBytes(model);
        for (var i = 0; i < BlockCount; i++)
        {
            Assert.That(await backend.WriteAsync(i * BlockSize, model.AsMemory(i * BlockSize, BlockSize)), Is.Zero);
        }

        Assert.That(driver.SlowRequests, Is.Zero);
        var content = new byte[model.Length];
        Assert.That(await backend.ReadAsync(0, content), Is.Zero);
        Assert.That(driver.SlowRequests, Is.EqualTo(1), "one request over all blocks");
        Assert.That(content.AsSpan().SequenceEqual(model), Is.True);
        Assert.That(await backend.WriteZeroesAsync(BlockSize / 2, BlockSize), Is.Zero);
        Assert.That(await backend.FlushAsync(), Is.Zero);
        var file = await File.ReadAllBytesAsync(path);
        Assert.That(file.AsSpan(BlockSize * (BlockCount - 1), BlockSize / 2).SequenceEqual(model.AsSpan(0, BlockSize / 2)), Is.True);
        Assert.That(file.AsSpan((BlockSize * (BlockCount - 1)) + (BlockSize / 2), BlockSize / 2).ContainsAnyExcept((byte)0), Is.False);
    }

    [Test]
    public async Task Mapped_requests_allocate_nothing()
    {
        await Main.Enter();
        await Graph.OpenAsync(FileOptions("f", MakeFile("a.img", 128 * BlockSize)));
        var node = await Graph.OpenAsync(new ReversingDriver("f"), "m");
        var backend = await UseAsync(node);
        await Graph.MoveToContextAsync(node, NewLoop("io"));
        await backend.Home.Enter();
        await new SteadyLoad(backend).RunAsync(2000);
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

    private sealed class ReversingDriver(string file) : BlockDriver
    {
        public int SlowRequests { get; private set; }

        public override string FormatName => "reversing";

        public override bool IsFormat => true;

        protected internal override BlockDriverPath Path => BlockDriverPath.Mapped;

        protected internal override async ValueTask OpenAsync(BlockOpenContext context)
            => await context.OpenChildAsync("file", new BlockdevRef { Reference = file }, BlockChildRole.Data | BlockChildRole.Primary);

        protected internal override ValueTask<long> GetLengthAsync() => new(PrimaryChild.LengthBytes);

        protected internal override bool TryMap(BlockOp op, long offset, long length, out BlockNode child, out long childOffset)
        {
            var inBlock = offset % BlockSize;
            child = PrimaryChild;
            childOffset = Node.LengthBytes - BlockSize - offset + inBlock + inBlock;
            return inBlock + length <= BlockSize;
        }

        protected internal override ValueTask<int> ReadAsync(long offset, long length, BlockBuffer buffer, BlockFlags flags)
        {
            SlowRequests++;
            return ByBlocksAsync(BlockOp.Read, offset, length, buffer, flags);
        }

        protected internal override ValueTask<int> WriteAsync(long offset, long length, BlockBuffer buffer, BlockFlags flags)
            => ByBlocksAsync(BlockOp.Write, offset, length, buffer, flags);

        protected internal override ValueTask<int> WriteZeroesAsync(long offset, long length, BlockFlags flags)
            => ByBlocksAsync(BlockOp.WriteZeroes, offset, length, default, flags);

        protected internal override ValueTask<int> FlushAsync() => PrimaryChild.FlushAsync();

        private async ValueTask<int> ByBlocksAsync(BlockOp op, long offset, long length, BlockBuffer buffer, BlockFlags flags)
        {
            for (var done = 0L; done < length;)
            {
                var part = Math.Min(length - done, BlockSize - ((offset + done) % BlockSize));
                Assert.That(TryMap(op, offset + done, part, out var child, out var childOffset), Is.True);
                var result = await OnPart(op, child, childOffset, part, buffer, done, flags);
                if (result < 0)
                {
                    return result;
                }

                done += part;
            }

            return 0;
        }

        private static unsafe ValueTask<int> OnPart(
            BlockOp op, BlockNode child, long childOffset, long part, BlockBuffer buffer, long done, BlockFlags flags)
        {
            if (op == BlockOp.WriteZeroes)
            {
                return child.WriteZeroesAsync(childOffset, part, flags);
            }

            // Never freed: a test.
            var list = (Iovec*)System.Runtime.InteropServices.NativeMemory.Alloc((nuint)(buffer.Count * sizeof(Iovec)));
            BlockBuffer slice = new(list, buffer.Slice(done, part, list));
            return op == BlockOp.Read
                ? child.ReadAsync(childOffset, part, slice, flags)
                : child.WriteAsync(childOffset, part, slice, flags);
        }
    }
}
