using System.Globalization;
using Qmp.Testing;

namespace Benchmarks;

/// <summary>Lets the two daemons take turns at one measurement and prints a line with medians and their ratio.</summary>
internal sealed class Comparison(Options options, DaemonProgram ours, DaemonProgram? peer)
{
    private int _goals;
    private int _held;

    public static void PrintHeader() =>
        Console.WriteLine($"{"",-44}{"qmpd",12}{"peer",12}{"ratio",9}{"goal",11}");

    /// <param name="name">What is measured, with its unit.</param>
    /// <param name="goal">What is to be reached; null where nothing is set.</param>
    /// <param name="measure">One measurement of one daemon.</param>
    public Task RunAsync(string name, Goal? goal, Func<DaemonProgram, Task<double>> measure) =>
        RunAsync([(name, goal)], async program => [await measure(program)], peer);

    /// <summary>Several figures of one measurement, a line for each.</summary>
    public Task RunAsync(IReadOnlyList<(string Name, Goal? Goal)> lines, Func<DaemonProgram, Task<double[]>> measure) =>
        RunAsync(lines, measure, peer);

    /// <summary>The same for a figure that the peer does not have.</summary>
    public Task RunAloneAsync(string name, Goal? goal, Func<DaemonProgram, Task<double>> measure) =>
        RunAsync([(name, goal)], async program => [await measure(program)], null);

    /// <returns>True if every goal holds.</returns>
    public bool PrintSummary()
    {
        Console.WriteLine($"{_held} of {_goals} goals hold");
        return _held == _goals;
    }

    private async Task RunAsync(
        IReadOnlyList<(string Name, Goal? Goal)> lines, Func<DaemonProgram, Task<double[]>> measure, DaemonProgram? other)
    {
        var mine = new List<double[]>();
        var theirs = new List<double[]>();
        for (int round = 0; round < options.Rounds; round++)
        {
            mine.Add(await measure(ours));
            if (other != null)
            {
                theirs.Add(await measure(other));
            }
        }

        for (int i = 0; i < lines.Count; i++)
        {
            Print(lines[i].Name, lines[i].Goal, Median(mine, i), theirs.Count > 0 ? Median(theirs, i) : double.NaN);
        }
    }

    private void Print(string name, Goal? goal, double median, double peerMedian)
    {
        double ratio = median / peerMedian;
        string verdict = "";
        if (goal != null)
        {
            bool held = goal.IsHeld(median, ratio);
            _goals++;
            _held += held ? 1 : 0;
            verdict = held ? "holds" : "MISSED";
        }

        Console.WriteLine($"{name,-44}{Number(median),12}{Number(peerMedian),12}{Number(ratio),9}{goal,11} {verdict}".TrimEnd());
    }

    private static string Number(double value) => double.IsNaN(value)
        ? "-"
        : value.ToString(value >= 100 ? "#,0" : "0.00", CultureInfo.InvariantCulture);

    private static double Median(List<double[]> rounds, int column)
    {
        double[] values = [.. rounds.Select(round => round[column]).Order()];
        int middle = values.Length / 2;
        return values.Length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}
