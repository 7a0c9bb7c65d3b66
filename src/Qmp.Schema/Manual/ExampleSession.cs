using System.Text;

namespace Qmp.Schema.Manual;

/// <summary>
/// An example of the manual as a session file. In the schema an example is short: <c>setup:</c> is a shell command
/// before the daemon starts, <c>arg:</c> an option of the daemon with its value; what is said may go over several lines;
/// three dots in an answer stand for anything. Greeting and capabilities are left out.
/// </summary>
internal static class ExampleSession
{
    private static readonly string[] Beginnings = ["setup: ", "arg: ", "-> ", "<- "];

    public static string From(string name, string example)
    {
        var session = new StringBuilder($"# title: example of {name}\n");
        var lines = Joined(example);
        foreach (var line in lines.Where(line => line.StartsWith("setup: ", StringComparison.Ordinal)))
        {
            session.Append("# ").Append(line).Append('\n');
        }

        foreach (var line in lines.Where(line => line.StartsWith("arg: ", StringComparison.Ordinal)))
        {
            foreach (var argument in line.Substring(5).Split([' '], 2))
            {
                session.Append("# arg: ").Append(argument).Append('\n');
            }
        }

        session.Append("\n<- {\"QMP\": $ANY}\n");
        if (!lines.Any(line => line.Contains("\"qmp_capabilities\"")))
        {
            session.Append("-> {\"execute\": \"qmp_capabilities\"}\n<- {\"return\": {}}\n");
        }

        foreach (var line in lines.Where(line => line.StartsWith("-> ", StringComparison.Ordinal) || line.StartsWith("<- ", StringComparison.Ordinal)))
        {
            session.Append(line[0] == '<' ? line.Replace("...", "$ANY") : line).Append('\n');
        }

        return session.ToString();
    }

    // A line that begins like none continues the one before.
    private static List<string> Joined(string example)
    {
        var lines = new List<string>();
        foreach (var line in example.Split('\n'))
        {
            if (Beginnings.Any(beginning => line.StartsWith(beginning, StringComparison.Ordinal)) || lines.Count == 0)
            {
                lines.Add(line);
            }
            else
            {
                lines[lines.Count - 1] += " " + line.Trim();
            }
        }

        return lines;
    }
}
