using System.Diagnostics;
using Qmp.Testing;

namespace Benchmarks.Daemons;

/// <summary>How soon a daemon greets, and what memory it has after one round trip.</summary>
/// <param name="Milliseconds">From the start of the process to its greeting.</param>
/// <param name="Mebibytes">Resident.</param>
internal sealed record Started(double Milliseconds, double Mebibytes)
{
    /// <param name="program">Which daemon.</param>
    /// <param name="disks">How many disks it exports, each on an iothread of its own.</param>
    public static async Task<Started> MeasureAsync(DaemonProgram program, int disks)
    {
        using var folder = new WorkFolder();
        Disk[] all = [.. Enumerable.Range(0, disks).Select(i => new Disk($"disk{i}", $"disk{i}", $"loop{i}"))];
        foreach (Disk disk in all)
        {
            using FileStream image = File.Create(folder.File(disk.Name + ".img"));
            image.SetLength(DiskDaemon.ImageBytes);
        }

        // The pid file comes last, and the peer must not be asked before: see Daemon.ReadyArguments. The same for both.
        string pidFile = folder.File("daemon.pid");
        string[] arguments =
        [
            .. Daemon.MonitorArguments(folder.File("qmp.sock")),
            .. all.SelectMany(disk => (string[])
            [
                "--object", $"iothread,id={disk.Loop}",
                "--blockdev", $"driver=file,node-name={disk.Node},filename={disk.Name}.img,aio=io_uring",
                .. disk.Arguments(folder.Path),
            ]),
            "--pidfile", pidFile,
        ];
        var clock = Stopwatch.StartNew();
        await using Daemon daemon = Daemon.Start(program, folder.Path, arguments);
        while (!File.Exists(pidFile))
        {
            if (daemon.HasExited || clock.Elapsed > TimeSpan.FromSeconds(60))
            {
                throw new InvalidOperationException($"{daemon.CommandLine} did not start:\n{daemon.Log}");
            }

            // Shorter than any sleep of Task.Delay: what is measured takes a few milliseconds.
            Thread.Sleep(TimeSpan.FromMicroseconds(100));
        }

        await using QmpLineClient client = await QmpLineClient.ConnectAsync(folder.File("qmp.sock"));
        string greeting = await client.ReadLineAsync();
        double milliseconds = clock.Elapsed.TotalMilliseconds;
        await client.ExecuteAsync("qmp_capabilities");
        await client.ExecuteAsync("query-version");
        return greeting.StartsWith("{\"QMP\"", StringComparison.Ordinal)
            ? new(milliseconds, daemon.ResidentBytes() / 1048576.0)
            : throw new InvalidOperationException($"Not a greeting: {greeting}");
    }
}
