using Qmp.Aio;

namespace Qmp.Block.Tests;

/// <summary>Dirty bitmaps and the transactions that change them.</summary>
public sealed class BitmapTests() : BlockTestBase(AioEngineKind.Threads)
{
    private const long Size = 1 << 20;

    [Test]
    public async Task Writes_show_in_whole_units()
    {
        await Main.Enter();
        var (node, backend) = await OpenAsync();
        await RunAsync(Add("n", "b"));
        await backend.WriteAsync(65536, new byte[65536]);
        await backend.WriteAsync(300 << 10, new byte[1024]);
        await backend.ReadAsync(0, new byte[1024]);
        var bitmap = node.TryFindBitmap("b")!;
        Assert.That(bitmap.DirtyBytes, Is.EqualTo(131072));
        Assert.That(await backend.WriteZeroesAsync(0, 512), Is.Zero);
        Assert.That(bitmap.DirtyBytes, Is.EqualTo(196608), "zeroes are writes");
        Assert.That(bitmap.NextDirty(65537, long.MaxValue / 2, out var start, out var length), Is.True);
        Assert.That((start, length), Is.EqualTo((65537, 65535)));
        Assert.That(bitmap.NextDirty(131072, 100, out start, out length), Is.True);
        Assert.That((start, length), Is.EqualTo((262144, 100)));
        Assert.That(bitmap.NextDirty(327680, Size, out _, out _), Is.False);
    }

    [Test]
    public async Task A_disabled_bitmap_records_nothing()
    {
        await Main.Enter();
        var (node, backend) = await OpenAsync();
        await RunAsync(Add("n", "b", disabled: true));
        await backend.WriteAsync(0, new byte[512]);
        Assert.That(node.TryFindBitmap("b")!.DirtyBytes, Is.Zero);
        await RunAsync(new BitmapEnableAction("n", "b", true));
        await backend.WriteAsync(0, new byte[512]);
        Assert.That(node.TryFindBitmap("b")!.DirtyBytes, Is.EqualTo(65536));
        await RunAsync(new BitmapEnableAction("n", "b", false), new BitmapClearAction("n", "b"));
        Assert.That(node.TryFindBitmap("b")!.DirtyBytes, Is.Zero);
    }

    [Test]
    public async Task Writes_below_show_where_they_arrive()
    {
        await Main.Enter();
        var file = await Graph.OpenAsync(FileOptions("f", MakeFile("a.img", Size)));
        var raw = await Graph.OpenAsync(RawOptions("r", "f", 512 << 10));
        await RunAsync(Add("f", "b"), Add("r", "b"));
        var backend = await UseAsync(raw);
        await backend.WriteAsync(0, new byte[512]);
        Assert.That(file.TryFindBitmap("b")!.IsDirty(512 << 10), Is.True);
        Assert.That(file.TryFindBitmap("b")!.IsDirty(0), Is.False);
        Assert.That(raw.TryFindBitmap("b")!.IsDirty(0), Is.True);
    }

    [TestCase(0L)]
    [TestCase(256L)]
    [TestCase(1000L)]
    [TestCase(-1L)]
    public async Task Granularity_is_a_power_of_two(long granularity)
    {
        await Main.Enter();
        await OpenAsync();
        Assert.That(
            await Error(new BitmapAddAction("n", "b", granularity, false, false)),
            Is.EqualTo("Granularity must be power of 2 and at least 512"));
    }

    [Test]
    public async Task Bitmaps_that_cannot_be_are_refused()
    {
        await Main.Enter();
        await OpenAsync();
        await RunAsync(Add("n", "b"));
        Assert.That(await Error(Add("n", "b")), Is.EqualTo("Bitmap already exists: b"));
        Assert.That(await Error(Add("n", "")), Is.EqualTo("Bitmap name cannot be empty"));
        Assert.That(await Error(Add("nope", "b")), Is.EqualTo("Cannot find device='nope' nor node-name='nope'"));
        Assert.That(
            await Error(new BitmapAddAction("n", "p", null, true, false)),
            Is.EqualTo("Can't store persistent bitmaps to n: Operation not supported"));
        Assert.That(await Error(new BitmapClearAction("n", "nope")), Is.EqualTo("Dirty bitmap 'nope' not found"));
        Assert.That(await Error(new BitmapRemoveAction("nope", "b")), Is.EqualTo("Node 'nope' not found"));
    }

    [Test]
    public async Task A_busy_bitmap_is_left_alone()
    {
        await Main.Enter();
        var (node, _) = await OpenAsync();
        await RunAsync(Add("n", "b"), Add("n", "c"));
        node.TryFindBitmap("b")!.Busy = true;
        const string Text = "Bitmap 'b' is currently in use by another operation and cannot be used";
        Assert.That(await Error(new BitmapClearAction("n", "b")), Is.EqualTo(Text));
        Assert.That(await Error(new BitmapRemoveAction("n", "b")), Is.EqualTo(Text));
        Assert.That(await Error(new BitmapEnableAction("n", "b", false)), Is.EqualTo(Text));
        Assert.That(await Error(new BitmapMergeAction("n", "c", [new(null, "b")])), Is.EqualTo(Text));
        Assert.That(await Error(new BitmapMergeAction("n", "b", [new(null, "c")])), Is.EqualTo(Text));
    }

    [TestCase(512L, 4096L)]
    [TestCase(4096L, 512L)]
    [TestCase(65536L, 65536L)]
    public async Task Merging_keeps_everything_that_was_dirty(long targetUnit, long sourceUnit)
    {
        await Main.Enter();
        var (node, backend) = await OpenAsync();
        await RunAsync(
            new BitmapAddAction("n", "t", targetUnit, false, true),
            new BitmapAddAction("n", "s", sourceUnit, false, false));
        await backend.WriteAsync(10_000, new byte[20_000]);
        await backend.WriteAsync(Size - 512, new byte[512]);
        await RunAsync(new BitmapMergeAction("n", "t", [new(null, "s"), new("n", "t")]));
        var target = node.TryFindBitmap("t")!;
        var source = node.TryFindBitmap("s")!;
        var unit = Math.Max(targetUnit, sourceUnit);
        for (var offset = 0L; offset < Size; offset += 512)
        {
            var expected = Enumerable.Range(0, (int)(unit / 512)).Any(i => source.IsDirty((offset & ~(unit - 1)) + (i * 512)));
            Assert.That(target.IsDirty(offset), Is.EqualTo(targetUnit >= sourceUnit ? expected : source.IsDirty(offset)), $"at {offset}");
        }
    }

    [Test]
    public async Task Bitmaps_of_other_lengths_do_not_merge()
    {
        await Main.Enter();
        await OpenAsync();
        await Graph.OpenAsync(NullOptions("m", 2 * Size));
        await RunAsync(Add("n", "a"), Add("m", "a"));
        Assert.That(
            await Error(new BitmapMergeAction("n", "a", [new("m", "a")])),
            Is.EqualTo("Bitmaps are of different sizes (destination size is 1048576, source size is 2097152) and can't be merged"));
        await RunAsync(new BitmapMergeAction("n", "a", []));
    }

    [Test]
    public async Task A_resized_node_takes_its_bitmaps_along()
    {
        await Main.Enter();
        var file = await Graph.OpenAsync(FileOptions("f", MakeFile("a.img", Size)));
        await RunAsync(Add("f", "b"));
        var backend = await UseAsync(file);
        await backend.WriteAsync(Size - 512, new byte[512]);
        await Graph.ResizeAsync(file, 2 * Size);
        var bitmap = file.TryFindBitmap("b")!;
        Assert.That((bitmap.LengthBytes, bitmap.DirtyBytes), Is.EqualTo((2 * Size, 65536)));
        await Graph.ResizeAsync(file, 65536);
        Assert.That((bitmap.LengthBytes, bitmap.DirtyBytes), Is.EqualTo((65536, 0)));
        await Graph.ResizeAsync(file, Size);
        Assert.That(bitmap.DirtyBytes, Is.Zero, "what was cut off does not come back");
    }

    /// <summary>Every kind of action, undone because a later one fails.</summary>
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    [TestCase(5)]
    public async Task A_failed_transaction_leaves_no_trace(int which)
    {
        await Main.Enter();
        var (node, backend) = await OpenAsync();
        await RunAsync(Add("n", "a"), Add("n", "c", disabled: true), Add("n", "d"));
        await backend.WriteAsync(70_000, new byte[512]);
        var before = State(node);
        TransactionAction action = which switch
        {
            0 => Add("n", "new"),
            1 => new BitmapRemoveAction("n", "c"),
            2 => new BitmapClearAction("n", "a"),
            3 => new BitmapEnableAction("n", "c", true),
            4 => new BitmapEnableAction("n", "a", false),
            _ => new BitmapMergeAction("n", "c", [new(null, "a")]),
        };
        Assert.That(await Error(action, new AbortAction()), Is.EqualTo("Transaction aborted using Abort action"));
        Assert.That(State(node), Is.EqualTo(before));
        Assert.That(Graph.Sections, Is.Empty);
        Assert.That(backend.IsDrained, Is.False);
        TransactionAction again = which switch
        {
            0 => Add("n", "new"),
            1 => new BitmapRemoveAction("n", "c"),
            2 => new BitmapClearAction("n", "a"),
            3 => new BitmapEnableAction("n", "c", true),
            4 => new BitmapEnableAction("n", "a", false),
            _ => new BitmapMergeAction("n", "c", [new(null, "a")]),
        };
        await RunAsync(again);
        Assert.That(State(node), Is.Not.EqualTo(before), "the action itself does something");
    }

    [Test]
    public async Task Steps_run_in_order_and_are_undone_in_reverse()
    {
        await Main.Enter();
        List<string> log = [];
        await Graph.OpenAsync(NullOptions("n", 512));
        var backend = await UseAsync(Graph.Find("n"));
        LoggingAction a = new("a", log, backend);
        LoggingAction b = new("b", log, backend);
        await RunAsync(a, b);
        Assert.That(log, Is.EqualTo(new[] { "prepare a", "prepare b", "commit a", "commit b", "clean a", "clean b" }));
        log.Clear();
        await Error(new LoggingAction("a", log, backend), new LoggingAction("b", log, backend), new AbortAction(), new LoggingAction("c", log, backend));
        Assert.That(log, Is.EqualTo(new[] { "prepare a", "prepare b", "abort b", "abort a", "clean a", "clean b" }));
    }

    [Test]
    public async Task Grouped_completion_is_for_those_who_know_it()
    {
        await Main.Enter();
        var (node, _) = await OpenAsync();
        Assert.That(
            await ErrorOf(() => BlockTransaction.RunAsync(Graph, [Add("n", "z")], grouped: true)),
            Is.EqualTo("Action 'block-dirty-bitmap-add' does not support transaction property completion-mode = grouped"));
        Assert.That(node.Bitmaps, Is.Empty);
    }

    [Test]
    public async Task A_removed_name_is_free_only_afterwards()
    {
        await Main.Enter();
        await OpenAsync();
        await RunAsync(Add("n", "c"));
        Assert.That(await Error(new BitmapRemoveAction("n", "c"), Add("n", "c")), Is.EqualTo("Bitmap already exists: c"));
        Assert.That(
            await Error(new BitmapRemoveAction("n", "c"), new BitmapClearAction("n", "c")),
            Is.EqualTo("Bitmap 'c' is currently in use by another operation and cannot be used"));
        await RunAsync(new BitmapClearAction("n", "c"));
    }

    private static BitmapAddAction Add(string node, string name, bool disabled = false) => new(node, name, null, false, disabled);

    private static string State(BlockNode node)
        => string.Join("; ", node.Bitmaps.Select(static b => $"{b.Name} {b.Enabled} {b.Busy} {b.DirtyBytes}"));

    private async Task<(BlockNode Node, BlockBackend Backend)> OpenAsync()
    {
        var node = await Graph.OpenAsync(NullOptions("n", Size));
        return (node, await UseAsync(node));
    }

    private async Task RunAsync(params TransactionAction[] actions) => await BlockTransaction.RunAsync(Graph, actions);

    private Task<string> Error(params TransactionAction[] actions) => ErrorOf(() => BlockTransaction.RunAsync(Graph, actions));

    private sealed class LoggingAction(string name, List<string> log, BlockBackend backend) : TransactionAction
    {
        public override string Name => name;

        public override IEnumerable<string> NodeNames => ["n"];

        protected internal override ValueTask PrepareAsync(GraphChange change) => Note("prepare");

        protected internal override ValueTask CommitAsync(GraphChange change) => Note("commit");

        protected internal override ValueTask AbortAsync(GraphChange change) => Note("abort");

        protected internal override ValueTask CleanAsync(GraphChange change) => Note("clean");

        private ValueTask Note(string what)
        {
            Assert.That(backend.IsDrained, Is.True, $"{what} {name}");
            log.Add($"{what} {name}");
            return default;
        }
    }
}
