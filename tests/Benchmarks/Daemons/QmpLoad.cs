using System.Globalization;
using Qmp.Testing;

namespace Benchmarks.Daemons;

/// <summary>What the QMP load generator measured: commands per second, and latencies in microseconds.</summary>
internal sealed record QmpLoad(double Rate, double P50, double P99)
{
    /// <summary>A daemon that fell silent or ended.</summary>
    public static QmpLoad NoAnswer { get; } = new(0, double.PositiveInfinity, double.PositiveInfinity);

    /// <param name="socket">The monitor's socket; with %d one for each client.</param>
    /// <param name="folder">Where to run.</param>
    /// <param name="arguments">Of the load generator.</param>
    /// <returns>Null if it failed: the daemon did not answer, or with an error.</returns>
    public static async Task<QmpLoad?> TryMeasureAsync(string socket, string folder, params IEnumerable<string> arguments)
    {
        ShellResult result = await Shell.RunProgramAsync(
            await LoadGenerator.QmpAsync(), ["--socket", socket, "--tsv", .. arguments], folder);
        string[] columns = result.Lines.FirstOrDefault(line => line.Contains('\t', StringComparison.Ordinal))?.Split('\t') ?? [];
        double Number(int index) => double.Parse(columns[index], CultureInfo.InvariantCulture);
        return result.ExitStatus == 0 && columns.Length > 7 && Number(7) == 0 ? new(Number(3), Number(4), Number(5)) : null;
    }

    /// <summary>The same where there is no excuse for a failure.</summary>
    public static async Task<QmpLoad> MeasureAsync(Daemon daemon, string socket, params IEnumerable<string> arguments) =>
        await TryMeasureAsync(Path.Combine(daemon.Folder, socket), daemon.Folder, arguments)
        ?? throw new InvalidOperationException($"QMP failed under load.\n{daemon.CommandLine}\n{daemon.Log}");

    /// <summary>A second of pipelined commands: the code is compiled.</summary>
    public static Task WarmUpAsync(Daemon daemon) => MeasureAsync(daemon, "qmp.sock", "--test", "pipeline", "--seconds", "1");
}
