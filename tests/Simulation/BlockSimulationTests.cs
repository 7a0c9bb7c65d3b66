using System.Globalization;
using System.Text;

namespace Simulation;

/// <summary>
/// Thousands of runs of bottom halves, drained sections, resizes, moves, disconnects and I/O on several loops: no
/// request is lost, answered twice, answered wrongly or served inside a drained section.
/// <c>QMP_SIMULATION_SEED</c> chooses other seeds (any text, such as a commit hash), <c>QMP_SIMULATION_RUNS</c> their number.
/// </summary>
public sealed class BlockSimulationTests
{
    private const int DefaultRuns = 3000;

    private const int LeastRuns = 100;

    /// <summary>However slow the machine is, the runs end after this time.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    private string _folder = null!;

    public static IEnumerable<TestCaseData> KnownSeeds()
        => File.ReadLines(Path.Combine(TestContext.CurrentContext.TestDirectory, "seeds", "block.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => new TestCaseData(ulong.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture)).SetArgDisplayNames(line));

    [SetUp]
    public void MakeFolder()
    {
        var shared = "/dev/shm";
        _folder = Path.Combine(Directory.Exists(shared) ? shared : Path.GetTempPath(), $"qmp-simulation-{Guid.NewGuid():N}");
        Directory.CreateDirectory(_folder);
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCaseSource(nameof(KnownSeeds))]
    public void A_seed_that_once_failed_passes(ulong seed) => Run(seed);

    [Test]
    public void Many_seeds_pass()
    {
        var start = StartSeed();
        var runs = int.Parse(
            Environment.GetEnvironmentVariable("QMP_SIMULATION_RUNS") ?? DefaultRuns.ToString(CultureInfo.InvariantCulture),
            CultureInfo.InvariantCulture);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        TestContext.Progress.WriteLine($"simulation: seeds from {start}");
        var done = 0;
        while (done < runs && clock.Elapsed < Limit)
        {
            Run(start + (ulong)done);
            done++;
        }

        TestContext.Progress.WriteLine($"simulation: {done} runs from seed {start} in {clock.Elapsed.TotalSeconds:F1} s");
        Assert.That(done, Is.GreaterThanOrEqualTo(Math.Min(runs, LeastRuns)), "too slow to mean anything");
    }

    [Test]
    public void The_same_seed_is_the_same_run()
    {
        var first = Run(42);
        Assert.That(Run(42), Is.EqualTo(first));
        Assert.That(Run(43), Is.Not.EqualTo(first));
    }

    private static ulong StartSeed()
    {
        var text = Environment.GetEnvironmentVariable("QMP_SIMULATION_SEED");
        if (string.IsNullOrEmpty(text))
        {
            return 1;
        }

        if (ulong.TryParse(text, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        // FNV-1a.
        var hash = 14695981039346656037ul;
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ b) * 1099511628211;
        }

        return hash;
    }

    /// <summary>One run; what it returns tells it apart from others.</summary>
    private (long Ns, ulong Chance) Run(ulong seed)
    {
        try
        {
            using World world = new(seed, _folder);
            world.Run();
            return (world.Simulation.NowNs, world.Random.NextUInt64());
        }
        catch (Exception e)
        {
            throw new AssertionException($"seed {seed} failed: {e.Message}{Environment.NewLine}{e}");
        }
    }
}
