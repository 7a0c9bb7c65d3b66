using Qmp.Aio;

namespace Qmp.Block.Tests;

/// <summary>Drained sections over real loops.</summary>
[TestFixture(AioEngineKind.IoUring)]
[TestFixture(AioEngineKind.Threads)]
public sealed class DrainTests(AioEngineKind kind) : BlockTestBase(kind)
{
    [Test]
    public async Task A_section_begins_when_what_is_in_flight_is_over()
    {
        await Main.Enter();
        var (backend, client, loop) = await SlowDiskAsync("n", 20_000_000);
        await loop.Enter();
        ScatterRequest[] early = Submit(backend, 8);
        Assert.That(backend.InFlight, Is.EqualTo(8));
        await Main.Enter();
        var section = await Graph.DrainAsync(null);
        Assert.That(early.Select(static request => request.CompletionCount), Is.All.EqualTo(1));
        await loop.Enter();
        Assert.That((backend.InFlight, backend.IsDrained, client.Log), Is.EqualTo((0, true, "begin ")));
        ScatterRequest[] late = Submit(backend, 8);
        Assert.That(backend.InFlight, Is.Zero, "held");
        await Main.Enter();
        await section.EndAsync();
        await Task.WhenAll(late.Select(static request => request.Completion)).WaitAsync(Patience);
        await loop.Enter();
        Assert.That(client.Log, Is.EqualTo("begin end "));
        Assert.That(late.Select(static request => request.CompletionCount), Is.All.EqualTo(1));
    }

    [Test]
    public async Task What_was_held_runs_in_the_order_of_arrival()
    {
        await Main.Enter();
        var backend = await UseAsync(await Graph.OpenAsync(NullOptions("n", 1 << 20)));
        var section = await Graph.DrainAsync([Graph.Find("n")]);
        List<int> order = [];
        for (var i = 0; i < 10; i++)
        {
            var number = i;
            backend.Submit(new ScatterRequest(BlockOp.Flush, 0, 0, 0, hasMemory: false) { Then = _ => order.Add(number) });
        }

        Assert.That(order, Is.Empty);
        await section.EndAsync();
        Assert.That(order, Is.EqualTo(Enumerable.Range(0, 10)));
    }

    [Test]
    public async Task Sections_nest_and_overlap_over_several_loops()
    {
        await Main.Enter();
        var disks = new List<(BlockBackend Backend, RecordingClient Client, AioContext Loop)>();
        for (var i = 0; i < 4; i++)
        {
            disks.Add(await SlowDiskAsync($"n{i}", 100_000));
        }

        var all = await Graph.DrainAsync(null);
        var two = await Graph.DrainAsync([Graph.Find("n0"), Graph.Find("n1")]);
        var one = await Graph.DrainAsync([Graph.Find("n1")]);
        await all.EndAsync();
        Assert.That(await DrainedAsync(disks), Is.EqualTo(new[] { true, true, false, false }));
        await two.EndAsync();
        await two.EndAsync();
        Assert.That(await DrainedAsync(disks), Is.EqualTo(new[] { false, true, false, false }));
        await one.EndAsync();
        Assert.That(await DrainedAsync(disks), Is.EqualTo(new[] { false, false, false, false }));
        Assert.That(disks.Select(static disk => disk.Client.Log), Is.All.EqualTo("begin end "), "told once, however many sections");
    }

    [Test]
    public async Task Draining_a_node_stops_every_user_of_trees_that_contain_it()
    {
        await Main.Enter();
        var file = await Graph.OpenAsync(FileOptions("f", MakeFile("a.img", 1 << 20)));
        var above = await UseAsync(await Graph.OpenAsync(RawOptions("r", "f")));
        var beside = await UseAsync(await Graph.OpenAsync(NullOptions("n", 512)));
        var section = await Graph.DrainAsync([file]);
        Assert.That((above.IsDrained, beside.IsDrained), Is.EqualTo((true, false)));
        await section.EndAsync();
        Assert.That(above.IsDrained, Is.False);
    }

    [Test]
    public async Task Giving_up_releases_what_was_held()
    {
        await Main.Enter();
        var (backend, client, loop) = await SlowDiskAsync("n", 300_000_000);
        await loop.Enter();
        var early = Submit(backend, 1)[0];
        await Main.Enter();
        using CancellationTokenSource timeout = new(TimeSpan.FromMilliseconds(20));
        var gaveUp = false;
        try
        {
            await Graph.DrainAsync(null, timeout.Token);
        }
        catch (OperationCanceledException)
        {
            gaveUp = true;
        }

        Assert.That(gaveUp, Is.True);
        Assert.That(Graph.Sections, Is.Empty);
        await loop.Enter();
        Assert.That((early.CompletionCount, backend.IsDrained, client.Log), Is.EqualTo((0, false, "begin end ")));
        Assert.That(await early.Completion.WaitAsync(Patience), Is.Zero);
    }

    [Test]
    public async Task A_feeder_that_goes_away_leaves_no_trace()
    {
        await Main.Enter();
        var (backend, _, loop) = await SlowDiskAsync("n", 100_000);
        var section = await Graph.DrainAsync(null);
        await loop.Enter();
        var held = Submit(backend, 1)[0];
        await Main.Enter();
        await backend.CloseAsync();
        Assert.That(await held.Completion.WaitAsync(Patience), Is.EqualTo(-Errno.ECANCELED));
        var other = await UseAsync(Graph.Find("n"));
        await section.EndAsync();
        await loop.Enter();
        Assert.That((other.IsDrained, Graph.Find("n").DrainCount), Is.EqualTo((false, 0)));
        Assert.That(await other.FlushAsync(), Is.Zero);
    }

    [Test]
    public async Task A_feeder_that_comes_joins_the_section()
    {
        await Main.Enter();
        await Graph.OpenAsync(NullOptions("n", 512));
        var section = await Graph.DrainAsync(null);
        var node = await Graph.OpenAsync(NullOptions("m", 512));
        RecordingClient client = new();
        var backend = await UseAsync(node, client: client);
        Assert.That((backend.IsDrained, client.Log), Is.EqualTo((true, "begin ")));
        await section.EndAsync();
        Assert.That((backend.IsDrained, client.Log), Is.EqualTo((false, "begin end ")));
    }

    [Test]
    public async Task A_tree_moves_with_its_users_while_they_are_busy()
    {
        await Main.Enter();
        var (backend, client, first) = await SlowDiskAsync("n", 50_000);
        await Graph.OpenAsync(RawOptions("r", "n"));
        var second = NewLoop("second");
        for (var i = 0; i < 20; i++)
        {
            var from = i % 2 == 0 ? first : second;
            await from.Enter();
            Assert.That(backend.Home, Is.SameAs(from));
            var requests = Submit(backend, 16);
            await Main.Enter();
            await Graph.MoveToContextAsync(Graph.Find("r"), i % 2 == 0 ? second : first);
            Assert.That(requests.Select(static request => request.CompletionCount), Is.All.EqualTo(1));
        }

        Assert.That((Graph.Find("n").Home, Graph.Find("r").Home), Is.EqualTo((first, first)));
        Assert.That(client.Log, Does.StartWith("begin move end begin move end "));
    }

    [Test]
    public async Task A_user_that_cannot_follow_keeps_the_tree()
    {
        await Main.Enter();
        var node = await Graph.OpenAsync(NullOptions("n", 512));
        await Graph.OpenAsync(RawOptions("r", "n"));
        await UseAsync(node, client: new RecordingClient { CanChangeContext = false });
        var loop = NewLoop("io");
        Assert.That(
            await ErrorOf(() => Graph.MoveToContextAsync(node, loop, force: false)),
            Is.EqualTo("Node n is associated with a BlockBackend and could be in use (use force=true to override this check)"));
        Assert.That(await ErrorOf(() => Graph.MoveToContextAsync(node, loop)), Is.EqualTo("Cannot change iothread of active block backend"));
        Assert.That(await ErrorOf(() => Graph.MoveToContextAsync(Graph.Find("r"), loop, force: false)), Is.EqualTo("Cannot change iothread of active block backend"));
        Assert.That(node.Home, Is.SameAs(Main));
    }

    [Test]
    public async Task Nothing_is_lost_doubled_or_served_inside_under_load()
    {
        await Main.Enter();
        List<Feeder> feeders = [];
        for (var i = 0; i < 3; i++)
        {
            var (backend, _, loop) = await SlowDiskAsync($"n{i}", 10_000);
            Feeder feeder = new(backend, loop);
            feeders.Add(feeder);
            loop.Schedule(feeder.Start);
        }

        for (var round = 0; round < 60; round++)
        {
            var nodes = round % 3 == 0 ? null : new[] { Graph.Find($"n{round % 3}") };
            var section = await Graph.DrainAsync(nodes);
            var before = await CompletedAsync(feeders, nodes);
            for (var i = 0; i < 3; i++)
            {
                await Main.Yield();
            }

            Assert.That(await CompletedAsync(feeders, nodes), Is.EqualTo(before), "nothing is served inside a section");
            await section.EndAsync();
        }

        foreach (var feeder in feeders)
        {
            await feeder.StopAsync().WaitAsync(Patience);
            Assert.That(feeder.Submitted, Is.EqualTo(feeder.Completed));
            Assert.That(feeder.Completed, Is.GreaterThan(0));
        }
    }

    private static async Task<long> CompletedAsync(List<Feeder> feeders, BlockNode[]? nodes)
    {
        var sum = 0L;
        var main = AioContext.Current!;
        foreach (var feeder in feeders)
        {
            if (nodes is null || nodes.Contains(feeder.Backend.Root))
            {
                await feeder.Loop.Enter();
                sum += feeder.Completed;
            }
        }

        await main.Enter();
        return sum;
    }

    private async Task<bool[]> DrainedAsync(List<(BlockBackend Backend, RecordingClient Client, AioContext Loop)> disks)
    {
        List<bool> drained = [];
        foreach (var (backend, _, loop) in disks)
        {
            await loop.Enter();
            drained.Add(backend.IsDrained);
        }

        await Main.Enter();
        return [.. drained];
    }

    private static ScatterRequest[] Submit(BlockBackend backend, int count)
    {
        ScatterRequest[] requests = [.. Enumerable.Range(0, count).Select(static _ => new ScatterRequest(BlockOp.Flush, 0, 0, 0, hasMemory: false))];
        foreach (var request in requests)
        {
            backend.Submit(request);
        }

        return requests;
    }

    private async Task<(BlockBackend Backend, RecordingClient Client, AioContext Loop)> SlowDiskAsync(string name, ulong latencyNs)
    {
        var node = await Graph.OpenAsync(NullOptions(name, 1 << 20, isAsynchronous: true, latencyNs));
        RecordingClient client = new();
        var backend = await UseAsync(node, client: client);
        var loop = NewLoop(name);
        await Graph.MoveToContextAsync(node, loop);
        client.Log = string.Empty;
        return (backend, client, loop);
    }

    private sealed class RecordingClient : IBlockBackendClient
    {
        public string Log { get; set; } = string.Empty;

        public bool CanChangeContext { get; init; } = true;

        public void DrainBegin() => Log += "begin ";

        public void DrainEnd() => Log += "end ";

        public void Resized(long newLength) => Log += $"resized:{newLength} ";

        public ValueTask ContextChangingAsync(AioContext from, AioContext to)
        {
            Log += "move ";
            return default;
        }
    }

    /// <summary>Keeps four requests in flight until it is told to stop.</summary>
    private sealed class Feeder(BlockBackend backend, AioContext loop)
    {
        private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _stopping;

        public BlockBackend Backend => backend;

        public AioContext Loop => loop;

        public int Submitted { get; private set; }

        public int Completed { get; private set; }

        public void Start()
        {
            for (var i = 0; i < 4; i++)
            {
                Next();
            }
        }

        public Task StopAsync()
        {
            _stopping = true;
            return _stopped.Task;
        }

        private void Next()
        {
            if (_stopping)
            {
                if (Submitted == Completed)
                {
                    _stopped.TrySetResult();
                }

                return;
            }

            Submitted++;
            backend.Submit(new ScatterRequest(BlockOp.Flush, 0, 0, 0, hasMemory: false)
            {
                Then = _ =>
                {
                    Completed++;
                    Next();
                },
            });
        }
    }
}
