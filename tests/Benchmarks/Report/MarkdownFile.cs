using System.Text;

namespace Benchmarks.Report;

/// <summary>The table for readers.</summary>
internal static class MarkdownFile
{
    public static void Write(string path, Machine machine, Options options, Table table, IReadOnlyList<Verdict> verdicts)
    {
        var text = new StringBuilder("# Results\n\n");
        text.Append("Written by the benchmarks. Medians of the rounds, and in parentheses from the least to the most. Rounds: ")
            .Append(options.Rounds).Append(".\n\n");
        foreach ((string name, string value) in machine.Properties)
        {
            text.Append("- ").Append(name).Append(": ").Append(value).Append('\n');
        }

        foreach ((string key, string title) in Goals.All.Where(goal => table.Of(goal.Key).Any()))
        {
            string verdict = verdicts.FirstOrDefault(one => one.Goal == key)?.Result ?? "";
            text.Append("\n## ").Append(key).Append(": ").Append(title).Append("\n\n");
            text.Append(verdict.Length > 0 ? $"**{verdict}**\n\n" : "");
            text.Append("| row | qmpd | other | ratio | target | |\n|---|---:|---:|---:|---:|---|\n");
            foreach (Row row in table.Of(key))
            {
                text.Append("| ").AppendJoin(" | ", $"{row.Name} [{row.Unit}]", row.Ours?.ToString() ?? row.Missing ?? "",
                    row.Theirs is Figures theirs ? $"{row.Other}: {theirs}" : "", row.Ratio?.ToString() ?? "",
                    row.Target?.ToString() ?? "", row.Verdict).Append(" |\n");
            }
        }

        File.WriteAllText(path, text.ToString());
    }
}
