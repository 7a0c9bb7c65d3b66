using System.Globalization;
using Benchmarks.Daemons;
using Benchmarks.Report;
using Qmp.Testing;

namespace Benchmarks.Rows;

/// <summary>
/// What nodes over a file cost: two that pass requests through, and one that maps them to another place, as image
/// formats do. All three disks are of one daemon, on one file and one loop; the bare file's is what they are compared with.
/// </summary>
internal sealed class ChainRows() : RowGroup("chain", "2")
{
    private const int WindowOffset = 1 << 20;

    private static readonly (string Disk, string Name)[] Chains = [("passed", "two nodes raw"), ("mapped", "a window by raw")];

    public override async Task MeasureAsync(int round, Options options, Table table)
    {
        string? loop = options.IoThread ? "loop0" : null;
        await using DiskDaemon daemon = await DiskDaemon.StartAsync(
            DaemonProgram.Qmpd,
            [
                File("bare"), File("file1"), File("file2"),
                "driver=raw,node-name=half,file=file1", "driver=raw,node-name=passed,file=half",
                $"driver=raw,node-name=mapped,file=file2,offset={WindowOffset},size={DiskDaemon.ImageBytes - WindowOffset}",
            ],
            [new("bare", "bare", loop), new("passed", "passed", loop), new("mapped", "mapped", loop)],
            DiskDaemon.Image);
        foreach (string disk in (string[])["bare", "passed", "mapped"])
        {
            await daemon.WarmUpAsync(disk);
        }

        foreach (string direction in (string[])["randread", "randwrite"])
        {
            foreach (int depth in (int[])[32, 128])
            {
                Task<DiskLoad> LoadAsync(string disk) => daemon.LoadAsync(disk,
                    ["--rw", direction, "--depth", $"{depth}", "--ramp", "0.3", "--range", $"{DiskDaemon.ImageBytes - WindowOffset}",
                        "--seconds", options.Seconds.ToString(CultureInfo.InvariantCulture)]);

                foreach ((string disk, string name) in Chains)
                {
                    // A few percent are asked for: each has a measurement of the bare file right beside it.
                    DiskLoad? first = round % 2 == 1 ? await LoadAsync("bare") : null;
                    DiskLoad chain = await LoadAsync(disk);
                    DiskLoad bare = first ?? await LoadAsync("bare");
                    table.Add(new("2", $"{name}: 4 KiB {direction}, depth {depth}", "IOPS", Target.Ratio(0.95), "bare file"),
                        chain.Rate, bare.Rate);
                }
            }
        }
    }

    // One file for all, so that the pages are the same: its locks would not allow that.
    private static string File(string node) =>
        $"driver=file,node-name={node},filename={DiskDaemon.Image},aio=io_uring,locking=off";
}
