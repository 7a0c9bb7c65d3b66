using System.Globalization;
using Benchmarks.Daemons;
using Benchmarks.Report;

namespace Benchmarks.Rows;

/// <summary>
/// 1, 4 and 16 disks of one loop, and 1, 4 and 16 queues of one disk, all loaded at once. Throughput per core is requests
/// per second of the daemon's CPU time: the load generators need processors too, so that requests per second of the clock
/// would say how many there are. The disks are read only and of one image.
/// </summary>
internal sealed class ScalingRows() : RowGroup("scaling", "6")
{
    private const int Most = 16;
    private const string ManyQueues = "queues";

    private static readonly int[] Counts = [1, 4, Most];

    public override async Task MeasureAsync(int round, Options options, Table table)
    {
        string? loop = options.IoThread ? "loop0" : null;
        string[] disks = [.. Enumerable.Range(0, Most).Select(i => $"disk{i}")];
        await using Pair pair = await Pair.StartAsync(round, async program =>
        {
            DiskDaemon daemon = await DiskDaemon.StartAsync(
                program,
                ((string[])[.. disks, ManyQueues]).Select(node =>
                    $"driver=file,node-name={node},filename={DiskDaemon.Image},aio=io_uring,read-only=on"),
                [.. disks.Select(disk => new Disk(disk, disk, loop, IsWritable: false)), new Disk(ManyQueues, ManyQueues, loop, Most, IsWritable: false)],
                DiskDaemon.Image);
            await daemon.WarmUpAsync(disks[0], isWritable: false);
            return daemon;
        });
        await MeasureAsync(pair, "disks", options, table, async (daemon, count, arguments) =>
        {
            DiskLoad[] loads = await Task.WhenAll(disks.Take(count).Select(disk => daemon.LoadAsync(disk, arguments)));

            // Each generator saw the CPU time of the whole daemon, for the same length.
            return new(loads.Sum(load => load.Operations) / loads.Average(load => load.CpuSeconds),
                loads.Min(load => load.Rate) / loads.Max(load => load.Rate));
        });
        await MeasureAsync(pair, "queues", options, table, async (daemon, count, arguments) =>
        {
            DiskLoad load = await daemon.LoadAsync(ManyQueues, [.. arguments, "--queues", $"{count}"]);
            return new(load.Operations / load.CpuSeconds, load.SlowestQueue / load.FastestQueue);
        });
    }

    private static async Task MeasureAsync(
        Pair pair, string things, Options options, Table table, Func<DiskDaemon, int, string[], Task<Share>> measure)
    {
        string[] arguments =
        [
            "--rw", "randread", "--depth", "32", "--ramp", "0.5", "--seconds", options.Seconds.ToString(CultureInfo.InvariantCulture),
        ];
        double? one = null;
        foreach (int count in Counts)
        {
            (Share ours, Share? peer) = await pair.MeasureAsync(daemon => measure(daemon, count, arguments));
            string name = count == 1 ? $"1 {things[..^1]}" : $"{count} {things}";
            table.Add(new("6", $"{name}: throughput per core, to the peer", "1/s of CPU"), ours.PerCore, peer?.PerCore);
            if (one is double single)
            {
                table.Add(new("6", $"{name}: throughput per core", "1/s of CPU", Target.Ratio(0.9), "one"), ours.PerCore, single);
                table.Add(new("6", $"{name}: slowest to fastest", "share", Target.AtLeast(0.8)), ours.Fairness, peer?.Fairness);
            }

            one ??= ours.PerCore;
        }
    }

    private sealed record Share(double PerCore, double Fairness);
}
