namespace Qmp.Aio;

/// <summary>
/// Loops, disks and time under one seed. All loops run on the caller's thread, one turn at a time, in an order that the
/// seed decides; time moves when nothing is left to do at the present moment. The same seed gives the same run.
/// </summary>
public sealed class Simulation : IDisposable
{
    private const int FirstFd = 1 << 24;

    private readonly List<Participant> _loops = [];
    private readonly List<SimulatedDisk> _disks = [];

    /// <summary>Starts at time zero.</summary>
    public Simulation(ulong seed)
    {
        Seed = seed;
        Random = new SimulationRandom(seed);
    }

    /// <summary>What decides everything. Print it when a run fails.</summary>
    public ulong Seed { get; }

    /// <summary>The source of all chance of the run.</summary>
    public SimulationRandom Random { get; }

    /// <summary>Virtual time in nanoseconds.</summary>
    public long NowNs { get; private set; }

    /// <summary>What goes wrong.</summary>
    public SimulatedFaults Faults { get; } = new();

    internal List<SimulatedOperation> Pending { get; } = [];

    /// <summary>Makes a loop. Its share of turns is random, so that some loops are slow.</summary>
    public AioContext NewContext(string name)
    {
        AioContext context = new(name, new SimulatedEngine(this));
        _loops.Add(new Participant(context, 1 + Random.Next(10)));
        return context;
    }

    /// <summary>Takes a loop out of the run; what is scheduled on it never runs.</summary>
    public void Remove(AioContext context) => _loops.RemoveAll(loop => ReferenceEquals(loop.Context, context));

    /// <summary>Makes a disk of zeroes, <paramref name="length"/> bytes long.</summary>
    public SimulatedDisk NewDisk(long length)
    {
        SimulatedDisk disk = new(this, FirstFd + _disks.Count, length, Random.Fork());
        _disks.Add(disk);
        return disk;
    }

    /// <summary>
    /// Lets one thing happen: a turn of a loop, the end of an operation, or time moving on. False if there is nothing
    /// left that could ever happen.
    /// </summary>
    public bool Step()
    {
        var total = 0;
        foreach (var loop in _loops)
        {
            loop.IsRunnable = loop.Context.HasWork || loop.Context.Engine.HasReady();
            total += loop.IsRunnable ? loop.Share : 0;
        }

        List<SimulatedOperation> due = [];
        var next = long.MaxValue;
        foreach (var operation in Pending)
        {
            if (operation.DueNs <= NowNs)
            {
                due.Add(operation);
            }
            else
            {
                next = Math.Min(next, operation.DueNs);
            }
        }

        // Operations that are due share the moment with the loops.
        var chosen = total + due.Count == 0 ? -1 : Random.Next(total + due.Count);
        if (chosen >= total)
        {
            var operation = due[chosen - total];
            Pending.Remove(operation);
            operation.Happen();
            return true;
        }

        if (chosen >= 0)
        {
            foreach (var loop in _loops)
            {
                if (loop.IsRunnable && (chosen -= loop.Share) < 0)
                {
                    loop.Context.RunOnce(mayBlock: false);
                    break;
                }
            }

            return true;
        }

        foreach (var loop in _loops)
        {
            next = Math.Min(next, loop.Context.Timers.NextDeadlineNs);
        }

        if (next == long.MaxValue)
        {
            return false;
        }

        NowNs = next;
        return true;
    }

    /// <summary>
    /// Steps until <paramref name="condition"/> holds; false if <paramref name="maxSteps"/> did not suffice or nothing
    /// is left that could happen.
    /// </summary>
    public bool RunUntil(Func<bool> condition, int maxSteps = 1_000_000)
    {
        for (var step = 0; step < maxSteps; step++)
        {
            if (condition())
            {
                return true;
            }

            if (!Step())
            {
                return condition();
            }
        }

        return condition();
    }

    /// <summary>Steps until nothing is left to happen; false if <paramref name="maxSteps"/> did not suffice.</summary>
    public bool RunToEnd(int maxSteps = 1_000_000)
    {
        for (var step = 0; step < maxSteps; step++)
        {
            if (!Step())
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Closes the loops.</summary>
    public void Dispose()
    {
        foreach (var loop in _loops)
        {
            loop.Context.Dispose();
        }
    }

    /// <summary>Operations in flight on a descriptor.</summary>
    public int InFlightOn(int fd)
    {
        var count = 0;
        foreach (var operation in Pending)
        {
            count += operation is SimulatedIo io && io.Fd == fd ? 1 : 0;
        }

        return count;
    }

    /// <summary>Operations and blocking calls in flight.</summary>
    public int InFlight => Pending.Count;

    internal SimulatedDisk? FindDisk(int fd)
        => fd >= FirstFd && fd - FirstFd < _disks.Count ? _disks[fd - FirstFd] : null;

    /// <summary>When an operation that starts now is over.</summary>
    internal long NextDueNs()
    {
        var extra = -Math.Log(1 - Random.NextDouble()) * Faults.MeanExtraLatencyNs;
        var stall = Random.Chance(Faults.StallRate) ? Faults.StallNs : 0;
        return NowNs + Faults.MinLatencyNs + (long)extra + stall;
    }

    private sealed class Participant(AioContext context, int share)
    {
        public AioContext Context { get; } = context;

        public int Share { get; } = share;

        public bool IsRunnable { get; set; }
    }
}
