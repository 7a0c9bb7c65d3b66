using System.Globalization;
using Benchmarks.Daemons;
using Benchmarks.Report;
using Qmp.Testing;

namespace Benchmarks.Rows;

/// <summary>What qmpd allocates on the managed heap, by its collector's own events. The peer has no such heap.</summary>
internal sealed class AllocationRows() : RowGroup("allocation", "5")
{
    private const int Requests = 1_000_000;

    public override async Task MeasureAsync(int round, Options options, Table table)
    {
        await using DiskDaemon daemon = await DiskDaemon.StartAsync(DaemonProgram.Qmpd, options, DiskRows.FileNode);
        await daemon.WarmUpAsync();
        foreach (string direction in (string[])["randread", "randwrite"])
        {
            using var counter = AllocationCounter.Attach(daemon.Daemon.Pid);
            DiskLoad load = await daemon.LoadAsync("disk",
                ["--rw", direction, "--depth", "32", "--ops", $"{Requests}", "--seconds", "100"]);

            // The collector tells of 100 KiB at a time: a client that connects may cost that once, a request nothing.
            table.Add(new("5", $"allocated per 4 KiB {direction}, a million of them", "bytes", Target.AtMost(0.2)),
                await counter.StopAsync() / load.Operations, null);
        }

        await QmpLoad.WarmUpAsync(daemon.Daemon);
        using var qmpCounter = AllocationCounter.Attach(daemon.Daemon.Pid);
        QmpLoad commands = await QmpLoad.MeasureAsync(daemon.Daemon, "qmp.sock",
            "--test", "rtt", "--seconds", options.Seconds.ToString(CultureInfo.InvariantCulture));
        table.Add(new(Report.Goals.More, "allocated per QMP round trip", "bytes"),
            await qmpCounter.StopAsync() / (commands.Rate * options.Seconds), null);
    }
}
