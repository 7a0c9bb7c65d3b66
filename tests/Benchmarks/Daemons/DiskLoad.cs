using System.Globalization;
using Qmp.Testing;

namespace Benchmarks.Daemons;

/// <summary>What the load generator says of one disk.</summary>
/// <param name="Operations">Requests that completed while it measured.</param>
/// <param name="Rate">Of them per second.</param>
/// <param name="P999">The latency that one of a thousand exceeds, in microseconds.</param>
/// <param name="CpuSeconds">Of the daemon, all its threads.</param>
/// <param name="SlowestQueue">Requests of the queue that got the fewest.</param>
/// <param name="FastestQueue">Requests of the queue that got the most.</param>
internal sealed record DiskLoad(
    double Operations, double Rate, double P999, double CpuSeconds, double SlowestQueue, double FastestQueue)
{
    /// <summary>Microseconds of the daemon's processors per request.</summary>
    public double CpuPerRequest => CpuSeconds * 1e6 / Operations;

    /// <summary>Loads a disk.</summary>
    /// <param name="daemon">Whose disk it is.</param>
    /// <param name="socket">In the daemon's folder.</param>
    /// <param name="arguments">Of the load generator.</param>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task<DiskLoad> MeasureAsync(Daemon daemon, string socket, params IEnumerable<string> arguments)
    {
        ShellResult result = await Shell.RunProgramAsync(
            await LoadGenerator.DiskAsync(),
            ["--socket", Path.Combine(daemon.Folder, socket), "--bs", "4096", "--pid", $"{daemon.Pid}", "--tsv", .. arguments],
            daemon.Folder);
        return Parse(result)
            ?? throw new InvalidOperationException($"The load generator failed:\n{result.Output}\n{daemon.CommandLine}\n{daemon.Log}");
    }

    /// <returns>Null if the generator failed.</returns>
    public static DiskLoad? Parse(ShellResult result)
    {
        string[] columns = result.Lines.Count > 0 ? result.Lines[^1].Split('\t') : [];
        double Number(int index) => double.Parse(columns[index], CultureInfo.InvariantCulture);
        return result.ExitStatus == 0 && columns.Length >= 26
            ? new(Number(7), Number(8), Number(12), Number(18), Number(24), Number(25))
            : null;
    }
}
