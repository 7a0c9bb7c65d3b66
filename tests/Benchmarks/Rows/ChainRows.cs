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
    private const int Turns = 4;

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
                async Task<double> RateAsync(string disk) => (await daemon.LoadAsync(disk,
                    ["--rw", direction, "--depth", $"{depth}", "--ramp", "0.1", "--range", $"{DiskDaemon.ImageBytes - WindowOffset}",
                        "--seconds", (options.Seconds / 2).ToString(CultureInfo.InvariantCulture)])).Rate;

                foreach ((string disk, string name) in Chains)
                {
                    // A few percent are asked for, and seconds differ by more: many short turns in place of a long one.
                    double chain = 0, bare = 0;
                    for (int turn = 0; turn < Turns; turn++)
                    {
                        bool isBareFirst = (round + turn) % 2 == 1;
                        bare += isBareFirst ? await RateAsync("bare") / Turns : 0;
                        chain += await RateAsync(disk) / Turns;
                        bare += isBareFirst ? 0 : await RateAsync("bare") / Turns;
                    }

                    table.Add(new("2", $"{name}: 4 KiB {direction}, depth {depth}", "IOPS", Target.Ratio(0.95), "bare file"), chain, bare);
                }
            }
        }
    }

    // One file for all, so that the pages are the same: its locks would not allow that.
    private static string File(string node) =>
        $"driver=file,node-name={node},filename={DiskDaemon.Image},aio=io_uring,locking=off";
}
