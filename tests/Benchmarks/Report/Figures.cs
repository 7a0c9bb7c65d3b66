using System.Globalization;

namespace Benchmarks.Report;

/// <summary>What the rounds of a row gave: the middle, and from where to where.</summary>
internal sealed record Figures(IReadOnlyList<double> Values)
{
    public double Median { get; } = MedianOf([.. Values.Order()]);

    public double Least => Values.Min();

    public double Most => Values.Max();

    /// <summary>"median (least-most)".</summary>
    public override string ToString() => Values.Count == 1 || double.IsInfinity(Median)
        ? Text(Median)
        : $"{Text(Median)} ({Text(Least)}-{Text(Most)})";

    /// <summary>As many digits as a measurement is worth. No figure at all is an answer that never came.</summary>
    public static string Text(double value) => double.IsInfinity(value)
        ? "no answer"
        : value.ToString(value >= 100 ? "#,0" : "0.00", CultureInfo.InvariantCulture);

    private static double MedianOf(double[] sorted)
    {
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
