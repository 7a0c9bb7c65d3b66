using System.Globalization;
using Benchmarks.Daemons;
using Benchmarks.Report;
using Qmp.Testing;

namespace Benchmarks.Rows;

/// <summary>
/// Round trips of 1 and of 100 clients, one command at a time and 32. The 100 are clients of one monitor of qmpd; the peer
/// serves one client per monitor and has 100 monitors.
/// </summary>
internal sealed class QmpRows() : RowGroup("qmp", Report.Goals.Qmp)
{
    public override async Task MeasureAsync(int round, Options options, Table table)
    {
        foreach (int clients in (int[])[1, 100])
        {
            foreach ((int depth, double least) in ((int, double)[])[(1, 5), (32, 50)])
            {
                QmpLoad ours = await MeasureAsync(DaemonProgram.Qmpd, clients, depth, options);
                QmpLoad? peer = DaemonProgram.Peer is DaemonProgram program ? await MeasureAsync(program, clients, depth, options) : null;
                string row = $"{clients} client{(clients > 1 ? "s" : "")}, depth {depth}";
                table.Add(new(Report.Goals.Qmp, row, "1/s", Target.Ratio(least)), ours.Rate, peer?.Rate);
                table.Add(new(Report.Goals.Qmp, row + ": p50", "us"), ours.P50, peer?.P50);
                table.Add(new(Report.Goals.Qmp, row + ": p99", "us"), ours.P99, peer?.P99);
            }
        }
    }

    private static async Task<QmpLoad> MeasureAsync(DaemonProgram program, int clients, int depth, Options options)
    {
        using var folder = new WorkFolder();
        bool hasMonitors = program == DaemonProgram.Peer && clients > 1;
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(program, folder.Path, hasMonitors
            ? Enumerable.Range(0, clients).SelectMany(i => (string[])
                ["--chardev", $"socket,id=client{i},path={folder.File($"client{i}.sock")},server=on,wait=off", "--monitor", $"chardev=client{i}"])
            : []);
        await QmpLoad.WarmUpAsync(daemon);
        return await QmpLoad.MeasureAsync(daemon, hasMonitors ? "client%d.sock" : "qmp.sock",
            ["--test", clients > 1 ? "clients" : depth == 1 ? "rtt" : "pipeline", "--clients", $"{clients}", "--depth", $"{depth}",
                "--seconds", options.Seconds.ToString(CultureInfo.InvariantCulture)]);
    }
}
