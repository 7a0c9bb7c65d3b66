using Benchmarks.Daemons;
using Benchmarks.Report;

namespace Benchmarks.Rows;

/// <summary>Resident memory of qmpd as it is built here with one disk, idle after some load.</summary>
internal sealed class MemoryRows() : RowGroup("memory", Report.Goals.More)
{
    public override async Task MeasureAsync(int round, Options options, Table table)
    {
        await using Pair pair = await Pair.StartAsync(round, async program =>
        {
            DiskDaemon daemon = await DiskDaemon.StartAsync(program, options, DiskRows.FileNode);
            await daemon.WarmUpAsync();
            return daemon;
        });
        double? peer = pair.Peer?.Daemon.ResidentBytes() / 1048576.0;
        table.Add(new(Report.Goals.More, "resident memory after load", "MiB"), pair.Ours.Daemon.ResidentBytes() / 1048576.0, peer);
    }
}
