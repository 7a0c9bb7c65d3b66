using Qmp.Aio;
using Qmp.Protocol.Schema;
using Qmp.Testing;

namespace Qmp.Block.Tests;

/// <summary><c>block_resize</c>.</summary>
[TestFixture(AioEngineKind.IoUring)]
[TestFixture(AioEngineKind.Threads)]
public sealed class ResizeTests(AioEngineKind kind) : BlockTestBase(kind)
{
    [Test]
    public async Task A_file_grows_and_shrinks_in_its_own_loop_and_users_are_told()
    {
        await Main.Enter();
        var path = MakeFile("a.img", 1 << 20);
        var file = await Graph.OpenAsync(FileOptions("f", path));
        var raw = await Graph.OpenAsync(RawOptions("r", "f"));
        LengthClient client = new();
        var backend = await UseAsync(raw, client: client);
        await Graph.MoveToContextAsync(raw, NewLoop("io"));
        await Graph.ResizeAsync(raw, 2 << 20);
        Assert.That(new FileInfo(path).Length, Is.EqualTo(2 << 20));
        await Graph.ResizeAsync(file, 1000);
        Assert.That(new FileInfo(path).Length, Is.EqualTo(1000));
        Assert.That((file.LengthBytes, raw.LengthBytes, backend.LengthBytes), Is.EqualTo((1024, 1024, 1024)));
        Assert.That(client.Lengths, Is.EqualTo(new[] { 2L << 20, 1024 }));
        Assert.That(client.WasDrainedEachTime, Is.True);
        await backend.Home.Enter();
        var sector = new byte[512];
        Array.Fill(sector, (byte)1);
        Assert.That(await backend.ReadAsync(512, sector), Is.Zero);
        Assert.That(sector, Is.All.Zero, "what the file lacks of its last sector reads as zeroes");
        Assert.That(backend.IsDrained, Is.False);
    }

    [Test]
    public async Task A_grown_part_reads_as_zeroes()
    {
        await Main.Enter();
        var file = await Graph.OpenAsync(FileOptions("f", MakeFile("a.img", 1 << 20)));
        var backend = await UseAsync(file);
        var ones = new byte[1 << 20];
        Array.Fill(ones, (byte)1);
        await backend.WriteAsync(0, ones);
        await Graph.ResizeAsync(file, 4096);
        await Graph.ResizeAsync(file, 1 << 20);
        var content = new byte[1 << 20];
        Assert.That(await backend.ReadAsync(0, content), Is.Zero);
        Assert.That(content.AsSpan(0, 4096).ContainsAnyExcept((byte)1), Is.False);
        Assert.That(content.AsSpan(4096).ContainsAnyExcept((byte)0), Is.False);
    }

    [Test]
    public async Task What_cannot_be_resized_says_why()
    {
        await Main.Enter();
        var readOnly = FileOptions("ro", MakeFile("a.img", 1 << 20));
        readOnly.ReadOnly = true;
        Assert.That(await ErrorOf(async () => await Graph.ResizeAsync(await Graph.OpenAsync(readOnly), 512)), Is.EqualTo("Image is read-only"));
        var nothing = await Graph.OpenAsync(NullOptions("n", 1 << 20));
        Assert.That(await ErrorOf(() => Graph.ResizeAsync(nothing, 512)), Is.EqualTo("Image format driver does not support resize"));
        Assert.That(await ErrorOf(() => Graph.ResizeAsync(nothing, -512)), Is.EqualTo("Parameter 'size' expects a >0 size"));
        var file = await Graph.OpenAsync(FileOptions("f", MakeFile("b.img", 1 << 20)));
        Assert.That(
            await ErrorOf(() => Graph.ResizeAsync(file, long.MaxValue)),
            Is.EqualTo("offset(9223372036854775807) exceeds maximum(9223372035781033984)"));
        var window = await Graph.OpenAsync(RawOptions("w", "f", 4096));
        await Graph.ResizeAsync(window, 2 << 20);
        Assert.That(new FileInfo(Folder.File("b.img")).Length, Is.EqualTo((2 << 20) + 4096));
        var fixedSize = await Graph.OpenAsync(RawOptions("x", "f", 4096, 8192));
        Assert.That(
            await ErrorOf(() => Graph.ResizeAsync(fixedSize, 4096)),
            Is.EqualTo("Permission conflict on node 'f': permissions 'resize' are both required by node 'x' (uses node 'f' as 'file' child) "
                + "and unshared by node 'w' (uses node 'f' as 'file' child)."));
        Assert.That(
            await ErrorOf(() => Graph.ResizeAsync(file, 4096)),
            Is.EqualTo("Permission conflict on node 'f': permissions 'resize' are both required by an unnamed block device (uses node 'f' as 'root' child) "
                + "and unshared by node 'x' (uses node 'f' as 'file' child)."));
        Assert.That(Graph.Backends, Is.Empty);
        Assert.That(Graph.Sections, Is.Empty);
    }

    [Test]
    public async Task Sparse_parts_are_known_and_discards_make_more_of_them()
    {
        await Main.Enter();
        var path = MakeFile("a.img", 4 << 20);
        var options = FileOptions("f", path);
        options.Discard = BlockdevDiscardOptions.Unmap;
        var file = await Graph.OpenAsync(options);
        var raw = await Graph.OpenAsync(RawOptions("r", "f", 1 << 20));
        var backend = await UseAsync(file);
        var data = new byte[1 << 20];
        new Random(1).NextBytes(data);
        await backend.WriteAsync(1 << 20, data);
        Assert.That(await backend.FlushAsync(), Is.Zero);
        var hole = await file.GetStatusAsync(0, 4 << 20);
        Assert.That((hole.Length, hole.Flags.HasFlag(BlockStatusFlags.Zero)), Is.EqualTo((1L << 20, true)));
        var written = await raw.GetStatusAsync(4096, 4 << 20);
        Assert.That((written.Length, written.Flags.HasFlag(BlockStatusFlags.Data)), Is.EqualTo(((1L << 20) - 4096, true)));
        Assert.That((written.MapNode, written.MapOffset), Is.EqualTo((file, (1L << 20) + 4096)));
        var before = await file.GetAllocatedBytesAsync();
        Assert.That(await backend.DiscardAsync(1 << 20, 1 << 20), Is.Zero);
        Assert.That(await file.GetAllocatedBytesAsync(), Is.LessThan(before));
        var image = await Shell.CheckAsync("truncate -s 4M z.img && qemu-img compare -f raw -F raw -U a.img z.img", Folder.Path);
        Assert.That(image, Does.Contain("Images are identical"));
    }

    private sealed class LengthClient : IBlockBackendClient
    {
        private bool _isDrained;

        public List<long> Lengths { get; } = [];

        public bool WasDrainedEachTime { get; private set; } = true;

        public bool CanChangeContext => true;

        public void DrainBegin() => _isDrained = true;

        public void DrainEnd() => _isDrained = false;

        public void Resized(long newLength)
        {
            Lengths.Add(newLength);
            WasDrainedEachTime &= _isDrained;
        }

        public ValueTask ContextChangingAsync(AioContext from, AioContext to) => default;
    }
}
