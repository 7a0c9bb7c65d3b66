using Benchmarks.Report;

namespace Benchmarks.Rows;

/// <summary>Rows that are measured together, round by round.</summary>
internal abstract class RowGroup(string name, params IReadOnlyList<string> goals)
{
    public string Name => name;

    /// <summary>The goals that it has rows of.</summary>
    public IReadOnlyList<string> Goals => goals;

    /// <summary>One round of all its rows.</summary>
    public abstract Task MeasureAsync(int round, Options options, Table table);
}
