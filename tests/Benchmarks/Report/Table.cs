namespace Benchmarks.Report;

/// <summary>The rows that were measured, in the order in which they came up.</summary>
internal sealed class Table
{
    private readonly Dictionary<(string Goal, string Name), Row> _rows = [];
    private readonly List<Row> _order = [];

    /// <summary>All rows, by goal.</summary>
    public IEnumerable<Row> Rows => Goals.All.SelectMany(goal => Of(goal.Key));

    public IEnumerable<Row> Of(string goal) => _order.Where(row => row.Goal == goal);

    /// <summary>One round's figures of a row, which comes into being with its first round.</summary>
    public void Add(Row row, double ours, double? theirs) => Find(row).Add(ours, theirs);

    /// <summary>A row that cannot be measured here.</summary>
    public void AddMissing(Row row, string reason) => Find(row).Missing = reason;

    public static void PrintHeader() => Console.WriteLine(Line("", "", "qmpd", "other", "ratio", "target", ""));

    /// <summary>Prints the rows that were not printed before.</summary>
    public void PrintFrom(int first)
    {
        foreach (Row row in Rows.Where(row => _order.IndexOf(row) >= first))
        {
            Console.WriteLine(Line(row.Goal, $"{row.Name} [{row.Unit}]", row.Ours?.ToString() ?? row.Missing ?? "-",
                row.Theirs is Figures theirs ? theirs + (row.Other == Row.Peer ? "" : $" {row.Other}") : "-",
                row.Ratio?.ToString() ?? "-", row.Target?.ToString() ?? "", row.Verdict));
        }
    }

    public int Count => _order.Count;

    private static string Line(params ReadOnlySpan<string> cells) =>
        $"{cells[0],-5}{cells[1],-82}{cells[2],30}{cells[3],36}{cells[4],20}{cells[5],12} {cells[6]}".TrimEnd();

    private Row Find(Row row)
    {
        if (!_rows.TryGetValue((row.Goal, row.Name), out Row? known))
        {
            known = row;
            _rows.Add((row.Goal, row.Name), row);
            _order.Add(row);
        }

        return known;
    }
}
