namespace Qmp.Aio.Tests;

/// <summary>A loop on the test's own thread, turned by hand, for each engine of the kernel.</summary>
[TestFixture(AioEngineKind.IoUring)]
[TestFixture(AioEngineKind.Threads)]
public abstract class LoopTestBase(AioEngineKind kind)
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    protected AioEngineKind Kind { get; } = kind;

    protected AioContext Loop { get; private set; } = null!;

    [SetUp]
    public void MakeLoop()
    {
        if (Kind == AioEngineKind.IoUring)
        {
            var isAvailable = IoUringEngine.TryCreate(out var engine, out var reason);
            engine?.Dispose();
            Assert.That(isAvailable, $"io_uring: {reason}");
        }

        Loop = NewLoop("test");
    }

    /// <summary>Runs the loop if it is a simulated one.</summary>
    protected Simulation? Simulation { get; private set; }

    [TearDown]
    public void CloseLoop()
    {
        Loop?.Dispose();
        Simulation = null;
    }

    private AioContext NewLoop(string name)
    {
        if (Kind != AioEngineKind.Simulated)
        {
            return new AioContext(name, AioEngine.Create(Kind));
        }

        Simulation = new Simulation(1);
        return Simulation.NewContext(name);
    }

    /// <summary>Turns the loop until <paramref name="condition"/> holds.</summary>
    protected void TurnUntil(Func<bool> condition, string what)
    {
        var giveUp = MonotonicClock.NowNs + ((long)Patience.TotalMilliseconds * 1_000_000);
        using var timer = Loop.NewTimer(static () => { });
        while (!condition())
        {
            Assert.That(MonotonicClock.NowNs, Is.LessThan(giveUp), $"gave up waiting until {what}");
            if (Simulation is not null)
            {
                Assert.That(Simulation.Step(), Is.True, $"nothing is left that could happen before {what}");
                continue;
            }

            if (!timer.IsArmed)
            {
                timer.Arm(MonotonicClock.NowNs + 100_000_000);
            }

            Loop.RunOnce(mayBlock: true);
        }
    }
}

/// <summary>Notes its results.</summary>
internal sealed class NotedRequest(Action<int>? then = null) : AioRequest
{
    public List<int> Results { get; } = [];

    public bool IsDone => Results.Count > 0;

    protected internal override void OnCompleted(int result)
    {
        Results.Add(result);
        then?.Invoke(result);
    }
}
