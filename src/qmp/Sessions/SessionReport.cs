using System.Text.Json.Nodes;
using Qmp.Sessions;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Sessions;

/// <summary>Prints where a session differs.</summary>
internal static class SessionReport
{
    /// <summary>Prints, and says with which status to exit.</summary>
    /// <param name="path">The recording.</param>
    /// <param name="differences">What was found.</param>
    /// <param name="json">Whether to print JSON.</param>
    /// <param name="agreement">What to print where nothing was.</param>
    /// <param name="sides">What the two lines of a difference are called.</param>
    public static int Print(
        string path, IReadOnlyList<SessionDifference> differences, bool json, string agreement, (string Expected, string Received) sides)
    {
        if (json)
        {
            Terminal.Line(JsonText.Of(ToJson(path, differences, sides)));
        }
        else if (differences.Count == 0)
        {
            Terminal.Line($"{Terminal.Green("ok")} {agreement}");
        }
        else
        {
            foreach (var difference in differences)
            {
                Print(path, difference, sides);
            }

            Terminal.Line(differences.Count == 1 ? "1 difference" : $"{differences.Count} differences");
        }

        return differences.Count == 0 ? ExitCode.Ok : ExitCode.Differs;
    }

    private static void Print(string path, SessionDifference difference, (string Expected, string Received) sides)
    {
        var place = difference.Line > 0 ? $"{path}:{difference.Line}" : path;
        Terminal.Line($"{Terminal.Bold(place)}: {Terminal.Clean(difference.Problem, keepLines: true)}");
        var width = Math.Max(sides.Expected.Length, sides.Received.Length);
        if (difference.Expected is { } expected)
        {
            Terminal.Line($"  {sides.Expected.PadRight(width)} {Marked(expected, difference, Terminal.Green)}");
        }

        if (difference.Received is { } received)
        {
            Terminal.Line($"  {sides.Received.PadRight(width)} {Marked(received, difference, Terminal.Red)}");
        }
    }

    // What both have in common stays plain.
    private static string Marked(string text, SessionDifference difference, Func<string, string> colour)
    {
        var common = difference.Expected is null || difference.Received is null ? 0
            : difference.Expected.AsSpan().CommonPrefixLength(difference.Received);
        return Terminal.Clean(text[..common], keepLines: true) + colour(Terminal.Clean(text[common..], keepLines: true));
    }

    private static JsonObject ToJson(string path, IReadOnlyList<SessionDifference> differences, (string Expected, string Received) sides)
    {
        var list = new JsonArray();
        foreach (var difference in differences)
        {
            var entry = new JsonObject { ["problem"] = difference.Problem };
            if (difference.Line > 0)
            {
                entry["line"] = difference.Line;
            }

            if (difference.Expected is not null)
            {
                entry[sides.Expected] = difference.Expected;
            }

            if (difference.Received is not null)
            {
                entry[sides.Received] = difference.Received;
            }

            list.Add((JsonNode)entry);
        }

        return new JsonObject { ["file"] = path, ["agrees"] = differences.Count == 0, ["differences"] = list };
    }
}
