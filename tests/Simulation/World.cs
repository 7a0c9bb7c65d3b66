using Qmp.Aio;
using Qmp.Block;
using Qmp.Protocol.Schema;

namespace Simulation;

/// <summary>
/// One run: several loops, several disks with their guests, and control code that drains, resizes, moves, disconnects
/// and reconnects them at random. First with faults, then without: everything must finish, and be right.
/// </summary>
internal sealed class World : IDisposable
{
    /// <summary>Far more than a run of this size needs: who gets here makes no progress.</summary>
    private const int MaxStepsPerPhase = 400_000;

    private readonly string _folder;
    private readonly AioContext _main;
    private readonly List<AioContext> _loops = [];
    private readonly List<SimulatedNode> _disks = [];
    private readonly List<Task> _control = [];
    private readonly HashSet<GuestRequest> _mayStillFail = [];
    private BlockGraph _graph = null!;

    public World(ulong seed, string folder)
    {
        _folder = folder;
        Simulation = new Qmp.Aio.Simulation(seed);
        Random = Simulation.Random;
        _main = Simulation.NewContext("main");
        for (var i = 1 + Random.Next(3); i > 0; i--)
        {
            _loops.Add(Simulation.NewContext($"iothread{i}"));
        }
    }

    public Qmp.Aio.Simulation Simulation { get; }

    public SimulationRandom Random { get; }

    public bool FaultsAreOn { get; private set; } = true;

    public bool IsClosing(Guest guest) => _disks.Exists(disk => disk.Guest == guest && disk.Feeder.IsClosing);

    /// <summary>Whether it was under way when the faults stopped.</summary>
    public bool MayStillFail(GuestRequest request) => _mayStillFail.Contains(request);

    public void Run()
    {
        Simulation.Faults.ErrorRate = Random.Chance(0.5) ? 0 : Random.NextDouble() * 0.2;
        Simulation.Faults.ShortRate = Random.Chance(0.5) ? 0 : Random.NextDouble() * 0.3;
        Simulation.Faults.StallRate = Random.Chance(0.5) ? 0 : Random.NextDouble() * 0.05;
        Simulation.Faults.StallNs = 1_000_000 + Random.NextInt64(20_000_000);
        Simulation.Faults.MeanExtraLatencyNs = 1_000 << Random.Next(7);

        // Safety: whatever goes wrong, nothing wrong is answered.
        RunOnMain(SetUpAsync, "set-up");
        _disks.ForEach(disk => disk.Guest.Start());
        for (var i = 1 + Random.Next(4); i > 0; i--)
        {
            _control.Add(Start(ControlAsync));
        }

        // One that failed may have left others waiting: its reason comes first.
        RunUntil(
            () => _control.Exists(task => task.IsFaulted) || _control.TrueForAll(task => task.IsCompleted), "the control code ends");
        _control.Find(task => task.IsFaulted)?.GetAwaiter().GetResult();

        // Liveness: the faults end, the guests are connected, and all that was asked is answered.
        Simulation.Faults.Stop();
        FaultsAreOn = false;
        foreach (var disk in _disks)
        {
            _mayStillFail.UnionWith(disk.Guest.TakenRequests);
        }

        RunOnMain(ReconnectAllAsync, "reconnecting");
        RunUntil(() => _disks.TrueForAll(disk => disk.Guest.IsDone), "all requests are answered");
        RunOnMain(TearDownAsync, "tear-down");
        SimulationFailure.Unless(Simulation.RunToEnd(MaxStepsPerPhase), "the loops do not come to rest");
        SimulationFailure.Unless(Simulation.InFlight == 0, $"{Simulation.InFlight} operations remain in flight");
        SimulationFailure.Unless(_graph.Nodes.Count == 0, $"{_graph.Nodes.Count} nodes remain");
        SimulationFailure.Unless(_graph.Sections.Count == 0, $"{_graph.Sections.Count} drained sections remain");
        _disks.ForEach(CheckFile);
    }

    public void Dispose()
    {
        _disks.ForEach(disk => disk.Guest.Dispose());
        Simulation.Dispose();
    }

    private async Task SetUpAsync()
    {
        _graph = new BlockGraph(_main);
        for (var i = 1 + Random.Next(3); i > 0; i--)
        {
            var disk = SimulatedNode.Make(this, i, _folder);
            _disks.Add(disk);
            disk.Node = await _graph.OpenAsync(disk.Options);
            await _graph.MoveToContextAsync(disk.Node, Random.Pick(_loops));
            using var change = await _graph.BeginChangeAsync();
            await disk.Feeder.ConnectAsync(change, disk.Node);
        }
    }

    private async Task ReconnectAllAsync()
    {
        foreach (var disk in _disks)
        {
            using var change = await _graph.BeginChangeAsync();
            if (disk.Feeder.Backend is null)
            {
                await disk.Feeder.ConnectAsync(change, disk.Node);
            }
        }
    }

    private async Task TearDownAsync()
    {
        foreach (var disk in _disks)
        {
            using (var change = await _graph.BeginChangeAsync())
            {
                await disk.Feeder.DisconnectAsync(change);
            }

            await _graph.DeleteAsync(disk.Name);
        }

        await _graph.CloseAllAsync();
    }

    /// <summary>One client of the monitor: does one thing after another, while others do the same.</summary>
    private async Task ControlAsync()
    {
        // Some runs do without some of the actions, and more of the others.
        var weights = Enumerable.Range(0, 6).Select(_ => Random.Chance(0.3) ? 0 : Random.NextDouble()).ToArray();
        var meanPauseNs = 1_000L << Random.Next(9);
        for (var i = 1 + Random.Next(8); i > 0; i--)
        {
            await _main.DelayAsync(TimeSpan.FromMicroseconds(Random.NextInt64(2 * meanPauseNs) / 1000.0));
            var disk = Random.Pick(_disks);
            switch (Pick(weights))
            {
                case 0:
                    await DrainAsync();
                    break;
                case 1:
                    await ResizeAsync(disk);
                    break;
                case 2:
                    await DisconnectOrConnectAsync(disk);
                    break;
                case 3:
                    await _graph.MoveToContextAsync(disk.Node, Random.Chance(0.2) ? _main : Random.Pick(_loops));
                    break;
                case 4:
                    await OpenAndDeleteAsync();
                    break;
                default:
                    await FlushAsync(disk);
                    break;
            }
        }
    }

    private int Pick(double[] weights)
    {
        var pick = Random.NextDouble() * weights.Sum();
        for (var i = 0; i < weights.Length; i++)
        {
            pick -= weights[i];
            if (pick < 0)
            {
                return i;
            }
        }

        return 0;
    }

    /// <summary>Sections of one, several or all disks nest and overlap; some are given up before they began.</summary>
    private async Task DrainAsync()
    {
        var some = _disks.Where(_ => Random.Chance(0.6)).ToList();
        var isAll = some.Count == 0 || Random.Chance(0.2);
        using CancellationTokenSource giveUp = new();
        if (Random.Chance(0.2))
        {
            _ = GiveUpLaterAsync();
        }

        DrainedSection section;
        try
        {
            section = await _graph.DrainAsync(isAll ? null : [.. some.Select(disk => disk.Node)], giveUp.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        var covered = isAll ? _disks.ToList() : some;
        foreach (var disk in covered)
        {
            CheckQuiescent(disk);
            disk.Guest.Quiesced++;
        }

        if (Random.Chance(0.3))
        {
            await DrainAsync();
        }

        await _main.DelayAsync(TimeSpan.FromMicroseconds(Random.Next(500)));
        foreach (var disk in covered)
        {
            CheckQuiescent(disk);
            disk.Guest.Quiesced--;
        }

        await section.EndAsync();

        async Task GiveUpLaterAsync()
        {
            await _main.DelayAsync(TimeSpan.FromMicroseconds(Random.Next(100)));
            try
            {
                giveUp.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The section had ended.
            }
        }
    }

    private static void CheckQuiescent(SimulatedNode disk)
    {
        var inFlight = disk.Feeder.Backend?.InFlight ?? 0;
        SimulationFailure.Unless(inFlight == 0, $"{inFlight} in flight inside a drained section: {disk.Guest.Describe()}");
    }

    private async Task ResizeAsync(SimulatedNode disk)
    {
        if (!disk.CanResize)
        {
            return;
        }

        var sectors = 1 + Random.Next(200);
        using var change = await _graph.BeginChangeAsync();
        await _graph.ResizeAsync(change, disk.Node, (long)sectors * DiskModel.SectorSize);
        if (disk.Feeder.Backend is null)
        {
            disk.Guest.Resized(sectors);
        }

        SimulationFailure.Unless(disk.Guest.Model.Sectors == sectors, $"{disk.Name}: the guest was not told of the new length");
    }

    private async Task DisconnectOrConnectAsync(SimulatedNode disk)
    {
        using var change = await _graph.BeginChangeAsync();
        if (disk.Feeder.Backend is null)
        {
            await disk.Feeder.ConnectAsync(change, disk.Node);
        }
        else
        {
            await disk.Feeder.DisconnectAsync(change);
        }
    }

    private async Task OpenAndDeleteAsync()
    {
        var name = $"extra{Random.NextInt64(long.MaxValue)}";
        await _graph.OpenAsync(new BlockdevOptions
        {
            Driver = BlockdevDriver.NullCo,
            NodeName = name,
            NullCo = new BlockdevOptionsNull(),
        });
        await _main.DelayAsync(TimeSpan.FromMicroseconds(Random.Next(100)));
        await _graph.DeleteAsync(name);
    }

    /// <summary>A user of its own beside the guest, as a query or a job is.</summary>
    private async Task FlushAsync(SimulatedNode disk)
    {
        var backend = await BlockBackend.CreateAsync(
            _graph, disk.Node, "flush", BlockPermissions.ConsistentRead, BlockPermissions.All, null);
        while (!backend.Home.IsCurrent)
        {
            // It may move while we are on our way.
            await backend.Home.Enter();
        }

        var result = await backend.FlushAsync();
        await _main.Enter();
        SimulationFailure.Unless(result is 0 or -Errno.EIO, $"flush answered {result}");
        await backend.CloseAsync();
    }

    private void CheckFile(SimulatedNode disk)
    {
        if (disk.FileName is null)
        {
            return;
        }

        var bytes = File.ReadAllBytes(disk.FileName);
        SimulationFailure.Unless(
            bytes.Length == disk.Guest.Model.Sectors * DiskModel.SectorSize, $"{disk.Name}: the file has {bytes.Length} bytes");
        disk.Guest.Model.Read(0, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(bytes), $"file of {disk.Name}");
    }

    private void RunOnMain(Func<Task> code, string what)
    {
        var task = Start(code);
        RunUntil(() => task.IsCompleted, what);
        task.GetAwaiter().GetResult();
    }

    private Task Start(Func<Task> code)
    {
        TaskCompletionSource source = new();
        _main.Schedule(async () =>
        {
            try
            {
                await code();
                source.SetResult();
            }
            catch (Exception e)
            {
                source.SetException(e);
            }
        });
        return source.Task;
    }

    private void RunUntil(Func<bool> condition, string what)
        => SimulationFailure.Unless(
            Simulation.RunUntil(condition, MaxStepsPerPhase),
            $"stuck before: {what}; {string.Join(" | ", _disks.Select(disk => disk.Guest.Describe()))}; "
                + $"sections {_graph?.Sections.Count}, in flight {Simulation.InFlight}, control {_control.Count(task => task.IsCompleted)}/{_control.Count}");
}
