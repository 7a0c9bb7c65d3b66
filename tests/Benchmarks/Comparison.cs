using System.Globalization;
using Qmp.Testing;

namespace Benchmarks;

/// <summary>Lets the two daemons take turns at one measurement and prints a line with medians and their ratio.</summary>
internal sealed class Comparison(Options options, DaemonProgram ours, DaemonProgram? peer)
{
    public static void PrintHeader() =>
        Console.WriteLine($"{"",-44}{"qmpd",14}{"qemu-s-d",14}{"ratio",9}{"goal",9}");

    /// <param name="name">What is measured, with its unit.</param>
    /// <param name="goal">The ratio to reach; null where none is set.</param>
    /// <param name="measure">One measurement of one daemon.</param>
    public async Task RunAsync(string name, double? goal, Func<DaemonProgram, Task<double>> measure)
    {
        var mine = new List<double>();
        var theirs = new List<double>();
        for (int round = 0; round < options.Rounds; round++)
        {
            mine.Add(await measure(ours));
            if (peer != null)
            {
                theirs.Add(await measure(peer));
            }
        }

        double median = Median(mine);
        double peerMedian = theirs.Count > 0 ? Median(theirs) : double.NaN;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-44}{Number(median),14}{Number(peerMedian),14}{median / peerMedian,9:0.00}{(goal == null ? "" : ">= " + goal),9}"));
    }

    private static string Number(double value) => double.IsNaN(value)
        ? "-"
        : value.ToString(value >= 100 ? "#,0" : "0.00", CultureInfo.InvariantCulture);

    private static double Median(List<double> values)
    {
        values.Sort();
        int middle = values.Count / 2;
        return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}
