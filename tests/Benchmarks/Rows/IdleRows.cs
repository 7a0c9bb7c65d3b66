using Benchmarks.Daemons;
using Benchmarks.Report;
using Qmp.Testing;

namespace Benchmarks.Rows;

/// <summary>How often an idle daemon wakes up: its disk has a guest, and its monitor a client.</summary>
internal sealed class IdleRows() : RowGroup("idle", "4")
{
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(10);

    public override async Task MeasureAsync(int round, Options options, Table table)
    {
        await using Pair pair = await Pair.StartAsync(round, program => DiskDaemon.StartAsync(program, options, DiskRows.FileNode));

        // Together: neither takes a processor from the other.
        Task<double> ours = MeasureAsync(pair.Ours);
        Task<double>? peer = pair.Peer != null ? MeasureAsync(pair.Peer) : null;
        table.Add(new("4", "idle, with a guest and a client", "wake-ups/s", Target.AtMost(1)),
            await ours, peer == null ? null : await peer);
    }

    private static async Task<double> MeasureAsync(DiskDaemon daemon)
    {
        await using QmpLineClient client = await daemon.Daemon.ConnectAsync();
        await client.ExecuteAsync("query-block-exports");

        // A guest that has asked for something once: its queue stands, and nothing is in it.
        double length = Time.TotalSeconds + 4;
        Task<ShellResult> guest = Shell.RunProgramAsync(
            await LoadGenerator.DiskAsync(),
            ["--socket", Path.Combine(daemon.Folder, "disk.sock"), "--depth", "1", "--rate", "0.001", "--seconds", $"{length}"],
            daemon.Folder);

        // What is left of the start, such as the runtime's compiler, is over then.
        await Task.Delay(TimeSpan.FromSeconds(3));
        double switches = await ContextSwitches.PerSecondAsync(daemon.Daemon.Pid, Time);
        await guest;
        return switches;
    }
}
