using Benchmarks.Daemons;
using Benchmarks.Report;
using Qmp.Testing;

namespace Benchmarks.Rows;

/// <summary>The native build of qmpd: how soon it greets, and what memory it has then, with 1 and with 32 disks.</summary>
internal sealed class NativeRows() : RowGroup("native", "8")
{
    // A start takes milliseconds: more of them for one figure cost nothing.
    private const int Starts = 5;

    private static readonly Lazy<Task<(DaemonProgram? Program, string Problem)>> Native = new(NativeBuild.PublishAsync);

    public override async Task MeasureAsync(int round, Options options, Table table)
    {
        (DaemonProgram? native, string problem) = await Native.Value;
        foreach (int disks in (int[])[1, 32])
        {
            string name = $"native, {disks} disk{(disks > 1 ? "s" : "")}";
            Row time = new("8", $"{name}: time to greeting", "ms", Target.RatioAtMost(1.5));
            Row memory = new("8", $"{name}: resident memory", "MiB", Target.RatioAtMost(1.5));
            if (native == null)
            {
                table.AddMissing(time, problem);
                table.AddMissing(memory, problem);
                continue;
            }

            for (int i = 0; i < Starts; i++)
            {
                Started ours = await Started.MeasureAsync(native, disks);
                Started? peer = DaemonProgram.Peer is DaemonProgram program ? await Started.MeasureAsync(program, disks) : null;
                table.Add(time, ours.Milliseconds, peer?.Milliseconds);
                table.Add(memory, ours.Mebibytes, peer?.Mebibytes);
            }
        }
    }
}
