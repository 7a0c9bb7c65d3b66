using Benchmarks.Daemons;
using Qmp.Testing;

namespace Interop.Speed;

/// <summary>
/// What a request costs, counted and never timed: a busy machine changes nothing. The benchmarks say what it takes.
/// </summary>
[TestFixture]
public sealed class CostTests
{
    private const long DiskSize = 64 << 20;

    // The collector tells of some 100 KiB at a time, and a front end that connects may cost that once or twice.
    private const long AllocationNoise = 250_000;

    [TestCase("randread", 1, 100_000)]
    [TestCase("randread", 128, 1_000_000)]
    [TestCase("randwrite", 32, 300_000)]
    public async Task ARequestAllocatesNothing(string direction, int depth, int requests)
    {
        await using DiskServer server = await DiskServer.StartAsync(DiskSize);
        string[] load = ["--rw", direction, "--depth", $"{depth}", "--seconds", "100", "--ramp", "0", "--tsv"];
        server.AssertGood(await server.LoadAsync([.. load, "--ops", "20000"]));
        using var counter = AllocationCounter.Attach(server.Daemon.Pid);
        ShellResult result = await server.LoadAsync([.. load, "--ops", $"{requests}"]);
        long bytes = await counter.StopAsync();
        server.AssertGood(result);
        Assert.That(DiskLoad.Parse(result)!.Operations, Is.GreaterThan(0.9 * requests), result.Output);
        TestContext.Out.WriteLine($"{bytes} bytes");
        Assert.That(bytes, Is.LessThan(AllocationNoise), $"bytes for {requests} requests");
    }

    /// <param name="direction">Reads or writes.</param>
    /// <param name="depth">Requests in flight.</param>
    /// <param name="most">
    /// System calls per request. At depth 1 there are three visits to the kernel: for the kick, for the request, and for
    /// the signal to the guest together with the sleep. At depth 128 the requests of a turn share them.
    /// </param>
    [TestCase("randread", 1, 3.7)]
    [TestCase("randwrite", 1, 3.9)]
    [TestCase("randread", 128, 0.2)]
    [TestCase("randwrite", 128, 0.2)]
    public async Task ARequestTakesFewSystemCalls(string direction, int depth, double most)
    {
        const int Requests = 20_000;
        await using CountedDaemon daemon = await CountedDaemon.StartAsync(DiskSize);
        string generator = await LoadGenerator.DiskAsync();
        string[] load = ["--socket", daemon.Socket, "--rw", direction, "--depth", $"{depth}", "--seconds", "100", "--ramp", "0", "--tsv"];

        // First the runtime compiles, which takes calls of its own.
        await Shell.RunProgramAsync(generator, [.. load, "--ops", $"{2 * Requests}"], Path.GetTempPath());
        long before = daemon.Calls;
        ShellResult result = await Shell.RunProgramAsync(generator, [.. load, "--ops", $"{Requests}"], Path.GetTempPath());
        double calls = daemon.Calls - before;
        Assert.That(result.ExitStatus, Is.Zero, result.Output + daemon.Daemon.Log);
        TestContext.Out.WriteLine($"{calls / DiskLoad.Parse(result)!.Operations:0.000} calls");
        Assert.That(calls / DiskLoad.Parse(result)!.Operations, Is.GreaterThan(0).And.LessThan(most), "system calls per request");
    }
}
