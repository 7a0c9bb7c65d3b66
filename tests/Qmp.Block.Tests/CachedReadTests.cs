using System.Runtime.InteropServices;
using Qmp.Aio;

namespace Qmp.Block.Tests;

/// <summary>A single read of what the kernel has in memory is over when it was submitted; nothing else is.</summary>
[TestFixture(AioEngineKind.IoUring)]
[TestFixture(AioEngineKind.Threads)]
public sealed partial class CachedReadTests(AioEngineKind kind) : BlockTestBase(kind)
{
    private const int Size = 1 << 20;
    private const int Block = 4096;

    private readonly byte[] _content = new byte[Size];

    [Test]
    public async Task A_single_cached_read_is_over_at_once()
    {
        var backend = await OpenAsync();
        await Main.Enter();
        using ScatterRequest read = Alone(5 * Block, 2);
        var isCached = IsCached(5 * Block, 2 * Block);
        backend.Submit(read);
        Assert.That(read.CompletionCount, Is.EqualTo(isCached ? 1 : 0));
        await ExpectAsync(read);
        Assert.That(backend.InFlight, Is.Zero);
        Assert.That(backend.Stats.Of(BlockOp.Read).Operations, Is.EqualTo(1));
    }

    [Test]
    public async Task A_read_behind_another_request_is_queued()
    {
        var backend = await OpenAsync();
        await Main.Enter();
        using ScatterRequest write = new(BlockOp.Write, 0, 1, Block);
        using ScatterRequest read = Alone(5 * Block, 1);
        backend.Submit(write);
        backend.Submit(read);
        Assert.That(read.CompletionCount, Is.Zero);
        await ExpectAsync(read);
        Assert.That(await write.Completion, Is.Zero);
    }

    [Test]
    public async Task A_read_of_what_is_not_in_memory_is_queued()
    {
        var backend = await OpenAsync();
        await Main.Enter();
        Drop();
        var isCached = IsCached(5 * Block, Block);
        using ScatterRequest first = Alone(5 * Block, 1);
        backend.Submit(first);
        Assert.That(first.CompletionCount, Is.EqualTo(isCached ? 1 : 0));
        await ExpectAsync(first);

        // What it brought into memory is found again, after a while of reads that do not look.
        for (var i = 0; i < 40; i++)
        {
            using ScatterRequest next = Alone(5 * Block, 1);
            backend.Submit(next);
            isCached = next.CompletionCount > 0;
            await ExpectAsync(next);
        }

        Assert.That(isCached, Is.EqualTo(IsCached(5 * Block, Block)));
    }

    [Test]
    public async Task A_read_beyond_the_end_of_a_file_that_shrank_is_zeroes()
    {
        var backend = await OpenAsync();
        await Main.Enter();
        using (var file = File.OpenWrite(Folder.File("disk")))
        {
            file.SetLength(Size - Block - 100);
        }

        _content.AsSpan(Size - Block - 100).Clear();
        using ScatterRequest read = Alone(Size - (2 * Block), 2);
        backend.Submit(read);
        await ExpectAsync(read);
    }

    [Test]
    public async Task A_read_that_has_company_is_queued()
    {
        var backend = await OpenAsync();
        await Main.Enter();
        using ScatterRequest read = new(BlockOp.Read, 5 * Block, 1, Block);
        backend.Submit(read);
        Assert.That(read.CompletionCount, Is.Zero);
        await ExpectAsync(read);
    }

    private static ScatterRequest Alone(long offset, int blocks) => new(BlockOp.Read, offset, blocks, Block) { Flags = BlockFlags.Alone };

    private async Task<BlockBackend> OpenAsync()
    {
        new Random(5).NextBytes(_content);
        File.WriteAllBytes(Folder.File("disk"), _content);
        await Main.Enter();
        return await UseAsync(await Graph.OpenAsync(FileOptions("disk", Folder.File("disk"))));
    }

    private async Task ExpectAsync(ScatterRequest read)
    {
        Assert.That(await read.Completion, Is.Zero);
        Assert.That(read.Content.SequenceEqual(_content.AsSpan((int)read.Offset, (int)read.Length)), Is.True);
        await Main.Enter();
    }

    // Asked without reading: even a read that may not wait makes the kernel fetch what is not there.
    private unsafe bool IsCached(long offset, int length)
    {
        var file = Libc.Open(Folder.File("disk"), Libc.O_RDONLY);
        var pages = Libc.Mmap((nuint)length, Libc.PROT_READ, Libc.MAP_SHARED, file, offset, out _);
        Assert.That((nint)pages, Is.Not.Zero);
        var resident = stackalloc byte[(length + Environment.SystemPageSize - 1) / Environment.SystemPageSize];
        var result = mincore(pages, (nuint)length, resident);
        _ = Libc.Munmap(pages, (nuint)length);
        _ = Libc.Close(file);
        Assert.That(result, Is.Zero);
        for (var page = 0; page * Environment.SystemPageSize < length; page++)
        {
            if ((resident[page] & 1) == 0)
            {
                return false;
            }
        }

        return true;
    }

    [LibraryImport("libc")]
    private static unsafe partial int mincore(void* address, nuint length, byte* resident);

    private void Drop()
    {
        var file = Libc.Open(Folder.File("disk"), Libc.O_RDWR);
        Assert.That(Libc.Fdatasync(file), Is.Zero);
        Assert.That(Libc.Fadvise(file, 0, 0, Libc.POSIX_FADV_DONTNEED), Is.Zero);
        _ = Libc.Close(file);
    }
}
