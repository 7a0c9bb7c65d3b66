namespace Benchmarks.Report;

/// <summary>Whether a goal was reached, and the row that decides: the one that is nearest to its limit, or beyond it most.</summary>
internal sealed record Verdict(string Goal, string Title, string Result, Row? Decides)
{
    public const string Held = "held";
    public const string Missed = "missed";
    public const string NotMeasured = "not measured";

    /// <param name="table">What was measured.</param>
    /// <param name="isComplete">Whether all rows of a goal were to be measured in this run.</param>
    public static IReadOnlyList<Verdict> Of(Table table, Func<string, bool> isComplete) =>
        [.. Goals.All.Where(goal => goal.Key != Goals.More).Select(goal => Of(goal.Key, goal.Title, table, isComplete(goal.Key)))];

    public override string ToString()
    {
        string text = $"{Goal,-5}{Result,-14}{Title}";
        return Decides == null ? text : $"{text}\n{"",19}{Reason(Decides)}";
    }

    private static string Reason(Row row) => row.IsHeld == null
        ? $"{row.Name}: {row.Missing ?? "no figures"}"
        : $"{row.Name} [{row.Unit}]: {Figures.Text(row.Target!.FigureOf(row))} ({row.Target})";

    private static Verdict Of(string goal, string title, Table table, bool isComplete)
    {
        Row[] rows = [.. table.Of(goal).Where(row => row.Target != null)];
        Row? missing = rows.FirstOrDefault(row => row.IsHeld == null);
        Row? nearest = rows.Where(row => row.IsHeld != null).MinBy(row => row.Target!.HeadroomOf(row));
        return nearest?.IsHeld == false ? new(goal, title, Missed, nearest)
            : missing != null || nearest == null || !isComplete ? new(goal, title, NotMeasured, missing)
            : new(goal, title, Held, nearest);
    }
}
