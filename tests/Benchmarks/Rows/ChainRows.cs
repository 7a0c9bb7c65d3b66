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
    private const int Turns = 15;

    private static readonly string[] Disks = ["bare", "passed", "mapped"];

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
        foreach (string disk in Disks)
        {
            await daemon.WarmUpAsync(disk);
        }

        foreach (string direction in (string[])["randread", "randwrite"])
        {
            foreach (int depth in (int[])[32, 128])
            {
                // A few percent are asked for, and seconds differ by more: many short turns in place of a long one.
                Dictionary<string, List<double>> rates = Disks.ToDictionary(disk => disk, _ => new List<double>());
                for (int turn = 0; turn < Turns; turn++)
                {
                    for (int i = 0; i < Disks.Length; i++)
                    {
                        string disk = Disks[(round + turn + i) % Disks.Length];
                        rates[disk].Add((await daemon.LoadAsync(disk,
                            ["--rw", direction, "--depth", $"{depth}", "--ramp", "0.1", "--range", $"{DiskDaemon.ImageBytes - WindowOffset}",
                                "--seconds", (options.Seconds * 0.3).ToString(CultureInfo.InvariantCulture)])).Rate);
                    }
                }

                foreach ((string disk, string name) in ((string, string)[])[("passed", "two nodes raw"), ("mapped", "a window by raw")])
                {
                    table.Add(new("2", $"{name}: 4 KiB {direction}, depth {depth}", "IOPS", Target.Ratio(0.95), "bare file"),
                        new Figures(rates[disk]).Median, new Figures(rates["bare"]).Median);
                }
            }
        }
    }

    // One file for all, so that the pages are the same: its locks would not allow that.
    private static string File(string node) =>
        $"driver=file,node-name={node},filename={DiskDaemon.Image},aio=io_uring,locking=off";
}
