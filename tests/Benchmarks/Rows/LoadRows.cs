using System.Globalization;
using Benchmarks.Daemons;
using Benchmarks.Report;
using Qmp.Testing;

namespace Benchmarks.Rows;

/// <summary>
/// One QMP client with one command at a time, while two disks serve 64 requests each, always. The client has real-time
/// priority with both daemons: it would else wait for a processor behind the load generators, and that would be measured.
/// </summary>
internal sealed class LoadRows() : RowGroup("load", "7", Report.Goals.Qmp)
{
    private static readonly string[] Disks = ["disk0", "disk1"];

    // The size of the disk and back, so that each command changes something. Last, see below.
    private static readonly string[] Resize =
    [
        $$"""block_resize{"node-name":"disk0","size":{{DiskDaemon.ImageBytes + (1 << 20)}}}""",
        $$"""block_resize{"node-name":"disk0","size":{{DiskDaemon.ImageBytes}}}""",
    ];

    // The peer has no command that only drains; its block_resize to the same size does no more than that.
    private static readonly (string Goal, string Name, string[] Ours, string[] Peer)[] Commands =
    [
        (Report.Goals.Qmp, "query-version", ["query-version"], ["query-version"]),
        ("7", "query-blockstats", ["query-blockstats"], ["query-blockstats"]),
        ("7", "block-drain", ["""block-drain{"nodes":["disk0"]}"""], [Resize[1]]),
        ("7", "block_resize", Resize, Resize),
    ];

    public override async Task MeasureAsync(int round, Options options, Table table)
    {
        foreach (bool ioThreads in (bool[])[true, false])
        {
            foreach ((string goal, string name, string[] ours, string[] peer) in Commands)
            {
                Measured mine = await MeasureAsync(DaemonProgram.Qmpd, ours, ioThreads, options);
                Measured? other = DaemonProgram.Peer is DaemonProgram program
                    ? await MeasureAsync(program, peer, ioThreads, options)
                    : null;
                string row = $"{name}, disks on {(ioThreads ? "iothreads" : "the main loop")}";
                table.Add(new(goal, row + ": p99", "us", Target.RatioAtMost(0.1)), mine.Qmp.P99, other?.Qmp.P99);
                table.Add(new(goal, row + ": p50", "us"), mine.Qmp.P50, other?.Qmp.P50);
                table.Add(new(goal, row + ": the load", "IOPS"), mine.Rate!.Value, other?.Rate);
            }
        }
    }

    private static async Task<Measured> MeasureAsync(DaemonProgram program, string[] commands, bool ioThreads, Options options)
    {
        await using DiskDaemon daemon = await DiskDaemon.StartAsync(
            program,
            Disks.Select(disk => $"driver=file,node-name={disk},filename={disk}.img,aio=io_uring"),
            [.. Disks.Select(disk => new Disk(disk, disk, ioThreads ? $"loop-{disk}" : null))],
            Disks.Select(disk => disk + ".img"));
        await QmpLoad.WarmUpAsync(daemon.Daemon);
        string generator = await LoadGenerator.DiskAsync();
        Task<ShellResult>[] loads = [.. Disks.Select(disk => Shell.RunProgramAsync(
            generator,
            ["--socket", Path.Combine(daemon.Folder, disk + ".sock"), "--rw", "mixed", "--bs", "4096", "--depth", "64", "--ramp", "0.5",
                "--seconds", (options.Seconds + 2).ToString(CultureInfo.InvariantCulture), "--tsv"],
            daemon.Folder))];
        await Task.Delay(TimeSpan.FromSeconds(1));
        QmpLoad? latency = await QmpLoad.TryMeasureAsync(Path.Combine(daemon.Folder, "qmp.sock"), daemon.Folder,
            [.. commands.SelectMany(command => (string[])["--cmd", command]),
                "--test", "rtt", "--realtime", "--seconds", options.Seconds.ToString(CultureInfo.InvariantCulture)]);
        bool wasLoaded = !loads.Any(load => load.IsCompleted);
        if (latency == null && program == DaemonProgram.Peer)
        {
            // qemu-storage-daemon 10 does not survive a drained section of a loaded disk: it falls silent or crashes.
            // Ending it lets the load generators end.
            await daemon.Daemon.KillAsync();
            await Task.WhenAll(loads);
            return new(QmpLoad.NoAnswer, null);
        }

        DiskLoad?[] results = [.. (await Task.WhenAll(loads)).Select(DiskLoad.Parse)];
        return latency != null && wasLoaded && !results.Contains(null)
            ? new(latency, results.Sum(load => load!.Rate))
            : throw new InvalidOperationException(
                $"{string.Join(", ", commands)} failed under load, or the load did.\n{daemon.Daemon.CommandLine}\n{daemon.Daemon.Log}");
    }

    private sealed record Measured(QmpLoad Qmp, double? Rate);
}
