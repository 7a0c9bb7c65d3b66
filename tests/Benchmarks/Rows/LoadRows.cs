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

    // The size of the disk and back, so that each command changes something.
    private static readonly string[] Resize =
    [
        $$"""block_resize{"node-name":"disk0","size":{{DiskDaemon.ImageBytes + (1 << 20)}}}""",
        $$"""block_resize{"node-name":"disk0","size":{{DiskDaemon.ImageBytes}}}""",
    ];

    public override async Task MeasureAsync(int round, Options options, Table table)
    {
        foreach (bool ioThreads in (bool[])[true, false])
        {
            await using Pair pair = await Pair.StartAsync(round, program => StartAsync(program, ioThreads));
            string place = $"disks on {(ioThreads ? "iothreads" : "the main loop")}";

            void Add(string goal, string name, Measured ours, Measured? peer, string other = Row.Peer)
            {
                string row = $"{name}, {place}";
                table.Add(new(goal, row + ": p99", "us", Target.RatioAtMost(0.1), other), ours.Qmp.P99, peer?.Qmp.P99);
                table.Add(new(goal, row + ": p50", "us", Other: other), ours.Qmp.P50, peer?.Qmp.P50);
                table.Add(new(goal, row + ": the load", "IOPS", Other: other), ours.Rate!.Value, peer?.Rate);
            }

            foreach ((string goal, string command) in ((string, string)[])[(Report.Goals.Qmp, "query-version"), ("7", "query-blockstats")])
            {
                (Measured ours, Measured? peer) = await pair.MeasureAsync(daemon => MeasureAsync(daemon, options, command));
                Add(goal, command, ours, peer);
            }

            // Last, as the peer may not survive it. It has no command that only drains: resizing does, before all else.
            Measured drain = await MeasureAsync(pair.Ours, options, """block-drain{"nodes":["disk0"]}""");
            (Measured resize, Measured? peerResize) = await pair.MeasureAsync(daemon => MeasureAsync(daemon, options, Resize));
            Add("7", "block-drain", drain, peerResize, "peer's block_resize");
            Add("7", "block_resize", resize, peerResize);
        }
    }

    private static async Task<DiskDaemon> StartAsync(DaemonProgram program, bool ioThreads)
    {
        DiskDaemon daemon = await DiskDaemon.StartAsync(
            program,
            Disks.Select(disk => $"driver=file,node-name={disk},filename={disk}.img,aio=io_uring"),
            [.. Disks.Select(disk => new Disk(disk, disk, ioThreads ? $"loop-{disk}" : null))],
            Disks.Select(disk => disk + ".img"));
        await QmpLoad.WarmUpAsync(daemon.Daemon);
        return daemon;
    }

    private static async Task<Measured> MeasureAsync(DiskDaemon daemon, Options options, params string[] commands)
    {
        string generator = await LoadGenerator.DiskAsync();
        Task<ShellResult>[] loads = [.. Disks.Select(disk => Shell.RunProgramAsync(
            generator,
            ["--socket", Path.Combine(daemon.Folder, disk + ".sock"), "--rw", "mixed", "--bs", "4096", "--depth", "64", "--ramp", "0.3",
                "--seconds", (options.Seconds + 1.2).ToString(CultureInfo.InvariantCulture), "--tsv"],
            daemon.Folder))];
        await Task.Delay(TimeSpan.FromSeconds(0.5));
        QmpLoad? latency = await QmpLoad.TryMeasureAsync(Path.Combine(daemon.Folder, "qmp.sock"), daemon.Folder,
            [.. commands.SelectMany(command => (string[])["--cmd", command]),
                "--test", "rtt", "--realtime", "--seconds", options.Seconds.ToString(CultureInfo.InvariantCulture)]);
        bool wasLoaded = !loads.Any(load => load.IsCompleted);
        if (latency == null)
        {
            // Ending the daemon lets the load generators end.
            await daemon.Daemon.KillAsync();
        }

        DiskLoad?[] results = [.. (await Task.WhenAll(loads)).Select(DiskLoad.Parse)];
        if (latency != null && wasLoaded && !results.Contains(null))
        {
            return new(latency, results.Sum(load => load!.Rate));
        }

        // qemu-storage-daemon 10 does not survive a drained section of a loaded disk: it falls silent or crashes.
        return daemon.Daemon.Program == DaemonProgram.Peer
            ? new(QmpLoad.NoAnswer, null)
            : throw new InvalidOperationException(
                $"{string.Join(", ", commands)} failed under load, or the load did.\n{daemon.Daemon.CommandLine}\n{daemon.Daemon.Log}");
    }

    /// <param name="Qmp">What the client saw.</param>
    /// <param name="Rate">Requests per second of both disks; null where the daemon did not last.</param>
    private sealed record Measured(QmpLoad Qmp, double? Rate);
}
