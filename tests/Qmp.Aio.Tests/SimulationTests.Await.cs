namespace Qmp.Aio.Tests;

// Apart from the rest because an unsafe context cannot await.
public sealed partial class SimulationTests
{
    [Test]
    public void Time_jumps_to_what_happens_next()
    {
        using Simulation simulation = new(5);
        var loop = simulation.NewContext("loop");
        List<string> events = [];
        loop.Schedule(async () =>
        {
            await loop.DelayAsync(TimeSpan.FromHours(10));
            events.Add($"delay {simulation.NowNs / 3_600_000_000_000}");
            var answer = await loop.RunOnWorkerAsync(static _ => 42, null);
            events.Add($"worker {answer} {loop.IsCurrent}");
        });
        Assert.That(simulation.RunToEnd(), Is.True);
        Assert.That(events, Is.EqualTo(new[] { "delay 10", "worker 42 True" }));
    }

    // Here and not for all engines, because in real time the loop may wait no longer than 10 ms.
    [Test]
    public void An_idle_bottom_half_lets_other_work_go_first()
    {
        using Simulation simulation = new(8);
        var loop = simulation.NewContext("loop");
        List<string> order = [];
        loop.NewBottomHalf(() => order.Add("idle")).ScheduleIdle();
        loop.Schedule(() =>
        {
            order.Add("one");
            loop.Schedule(() => order.Add("two"));
        });
        Assert.That(simulation.RunToEnd(), Is.True);
        Assert.That(order, Is.EqualTo(new[] { "one", "two", "idle" }));
    }

    [Test]
    public void A_method_moves_between_simulated_loops()
    {
        using Simulation simulation = new(7);
        var a = simulation.NewContext("a");
        var b = simulation.NewContext("b");
        List<string?> where = [];
        a.Schedule(async () =>
        {
            where.Add(AioContext.Current?.Name);
            await b.Enter();
            where.Add(AioContext.Current?.Name);
            await a.Enter();
            where.Add(AioContext.Current?.Name);
        });
        Assert.That(simulation.RunToEnd(), Is.True);
        Assert.That(where, Is.EqualTo(new[] { "a", "b", "a" }));
    }

    private static List<string> Trace(ulong seed)
    {
        using Simulation simulation = new(seed);
        List<string> trace = [];
        var loops = Enumerable.Range(0, 3).Select(i => simulation.NewContext($"loop{i}")).ToList();
        foreach (var loop in loops)
        {
            for (var i = 0; i < 10; i++)
            {
                var number = i;
                loop.Schedule(async () =>
                {
                    trace.Add($"{loop.Name} {number}");
                    await simulation.Random.Pick(loops).Enter();
                    await AioContext.Current!.DelayAsync(TimeSpan.FromTicks(simulation.Random.Next(100)));
                    trace.Add($"{loop.Name} {number} on {AioContext.Current!.Name} at {simulation.NowNs}");
                });
            }
        }

        Assert.That(simulation.RunToEnd(), Is.True);
        Assert.That(trace, Has.Count.EqualTo(60));
        return trace;
    }
}
