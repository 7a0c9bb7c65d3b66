using System.Globalization;
using Benchmarks.Daemons;
using Benchmarks.Report;

namespace Benchmarks.Rows;

/// <summary>
/// Random reads and writes of one disk, as many as the depth allows: requests per second, and of the same measurement
/// CPU per request and p99.9. Then the CPU per request of requests that come at a fixed rate.
/// </summary>
internal sealed class DiskRows(string name, string goal, string node, Func<int, double> leastRatio, bool isFile)
    : RowGroup(name, goal, "4", "5")
{
    public const string FileNode = "driver=file,node-name=disk,filename=disk.img,aio=io_uring";
    public const string NullNode = "driver=null-co,node-name=disk,size=268435456,read-zeroes=off";

    // Well below what either daemon reaches at depth 1 on a slow machine.
    private const int PacedRate = 20000;

    // The generator's histogram has steps of up to 1.6 %: closer than that, two latencies are the same.
    private const double SameLatency = 1.02;

    private static readonly int[] Depths = [1, 32, 128];

    public override async Task MeasureAsync(int round, Options options, Table table)
    {
        await using Pair pair = await Pair.StartAsync(round, async program =>
        {
            DiskDaemon daemon = await DiskDaemon.StartAsync(program, options, node);
            await daemon.WarmUpAsync();
            return daemon;
        });
        foreach (string direction in (string[])["randread", "randwrite"])
        {
            foreach (int depth in Depths)
            {
                await MeasureFullLoadAsync(pair, direction, depth, options, table);
            }

            await MeasurePacedAsync(pair, direction, options, table);
        }
    }

    private async Task MeasureFullLoadAsync(Pair pair, string direction, int depth, Options options, Table table)
    {
        string row = $"{Name}: 4 KiB {direction}, depth {depth}";
        (DiskLoad ours, DiskLoad? peer) = await pair.MeasureAsync(daemon => LoadAsync(daemon, direction, depth, options));
        table.Add(new(goal, row, "IOPS", Target.Ratio(leastRatio(depth))), ours.Rate, peer?.Rate);

        // At depth 1 the faster daemon has more to do per second and sleeps less: the paced rows decide.
        table.Add(new("4", row, "us of CPU per request", depth == 1 ? null : Target.RatioAtMost(0.6)), ours.CpuPerRequest, peer?.CpuPerRequest);
        table.Add(new("5", row, "p99.9 in us", Target.RatioAtMost(SameLatency)), ours.P999, peer?.P999);
        if (depth == 1)
        {
            DiskLoad bare = await MeasureBareAsync(pair, direction, options, spins: true);
            table.Add(new(goal, $"{row}, to a bare loop", "IOPS", null, "bare"), ours.Rate, bare.Rate);
        }

        if (isFile && depth == 128)
        {
            Row fio = new(goal, $"{row}, to fio", "IOPS", Target.Ratio(0.85), "fio");
            if (Fio.IsInstalled)
            {
                table.Add(fio, ours.Rate, await Fio.MeasureAsync(pair.Ours.Folder, DiskDaemon.Image, direction, depth, options.Seconds));
            }
            else
            {
                table.AddMissing(fio, "fio is not installed");
            }
        }
    }

    private async Task MeasurePacedAsync(Pair pair, string direction, Options options, Table table)
    {
        string row = $"{Name}: 4 KiB {direction}, depth 1, {PacedRate / 1000} k/s";
        string[] rate = ["--rate", $"{PacedRate}"];
        (DiskLoad ours, DiskLoad? peer) = await pair.MeasureAsync(daemon => LoadAsync(daemon, direction, 1, options, rate));
        table.Add(new("4", row, "us of CPU per request", Target.RatioAtMost(0.6)), ours.CpuPerRequest, peer?.CpuPerRequest);
        DiskLoad bare = await MeasureBareAsync(pair, direction, options, spins: false, rate);
        table.Add(new("4", row + ", to a bare loop", "us of CPU per request", null, "bare"), ours.CpuPerRequest, bare.CpuPerRequest);

        // Says whether the load was equal indeed.
        table.Add(new("4", row + ": rate", "IOPS"), ours.Rate, peer?.Rate);
    }

    private static Task<DiskLoad> LoadAsync(DiskDaemon daemon, string direction, int depth, Options options, params string[] more) =>
        daemon.LoadAsync("disk", Arguments(direction, depth, options, more));

    private Task<DiskLoad> MeasureBareAsync(Pair pair, string direction, Options options, bool spins, params string[] more) =>
        BareDevice.MeasureAsync(pair.Ours.Folder, isFile ? DiskDaemon.Image : null, spins, Arguments(direction, 1, options, more));

    private static string[] Arguments(string direction, int depth, Options options, string[] more) =>
        ["--rw", direction, "--depth", $"{depth}", "--ramp", "0.3",
            "--seconds", options.Seconds.ToString(CultureInfo.InvariantCulture), .. more];
}
