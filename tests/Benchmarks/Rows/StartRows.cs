using Benchmarks.Daemons;
using Benchmarks.Report;
using Qmp.Testing;

namespace Benchmarks.Rows;

/// <summary>The start of qmpd as it is built here, not as a native program.</summary>
internal sealed class StartRows() : RowGroup("start", Report.Goals.More)
{
    public override async Task MeasureAsync(int round, Options options, Table table)
    {
        Started ours = await Started.MeasureAsync(DaemonProgram.Qmpd, 1);
        Started? peer = DaemonProgram.Peer is DaemonProgram program ? await Started.MeasureAsync(program, 1) : null;
        table.Add(new(Report.Goals.More, "time to greeting", "ms"), ours.Milliseconds, peer?.Milliseconds);
    }
}
