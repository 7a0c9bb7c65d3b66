using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Qmp.Testing.Sessions;

/// <summary>
/// What the placeholders of one run stand for: the folder, and the node names that the daemon has made up.
/// </summary>
public sealed partial class SessionNames(string folder)
{
    private const string Timestamp = """\{"seconds": \d+, "microseconds": \d+\}""";
    private const string Version =
        """\{"qemu": \{"micro": \d+, "minor": \d+, "major": \d+\}, "package": "(?:[^"\\]|\\.)*"\}""";

    private readonly Dictionary<string, string> _nodes = [];

    /// <summary>Puts known values into a text that is sent or run.</summary>
    public string Expand(string text) =>
        NodePlaceholder().Replace(text.Replace("$DIR", folder, StringComparison.Ordinal),
            match => _nodes.GetValueOrDefault(match.Value, match.Value));

    /// <summary>Compares what came with what was recorded, and learns the names that it sees for the first time.</summary>
    public bool Matches(string recorded, string received)
    {
        var pattern = new StringBuilder("^");
        var groups = new HashSet<string>();
        int at = 0;
        foreach (Match match in Placeholder().Matches(recorded))
        {
            pattern.Append(Regex.Escape(recorded[at..match.Index]));
            at = match.Index + match.Length;
            pattern.Append(Pattern(match.Value, groups));
        }

        pattern.Append(Regex.Escape(recorded[at..])).Append('$');
        Match found = Regex.Match(received, pattern.ToString(), RegexOptions.Singleline | RegexOptions.CultureInvariant);
        if (!found.Success)
        {
            return false;
        }

        foreach (string group in groups)
        {
            _nodes["$" + group] = found.Groups[group].Value;
        }

        return true;
    }

    /// <summary>Turns what was received into what is recorded.</summary>
    public string Generalize(string received)
    {
        string text = Regex.Replace(received, Timestamp, "\"$$TIMESTAMP\"");
        text = Regex.Replace(text, Version, "\"$$VERSION\"");
        text = text.Replace(folder, "$DIR", StringComparison.Ordinal);
        text = Regex.Replace(text, "\"actual-size\": \\d+", "\"actual-size\": \"$$INT\"");
        return GeneratedName().Replace(text, match =>
        {
            string? known = _nodes.FirstOrDefault(pair => pair.Value == match.Value).Key;
            if (known == null)
            {
                known = "$NODE" + (_nodes.Count + 1).ToString(CultureInfo.InvariantCulture);
                _nodes[known] = match.Value;
            }

            return known;
        });
    }

    [GeneratedRegex("""
        "\$TIMESTAMP"|"\$VERSION"|"\$INT"|\$DIR\b|\$ANY\b|\$NODE\d+
        """, RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"\$NODE\d+")]
    private static partial Regex NodePlaceholder();

    [GeneratedRegex(@"#block\d+")]
    private static partial Regex GeneratedName();

    private string Pattern(string placeholder, HashSet<string> groups)
    {
        switch (placeholder)
        {
            case "\"$TIMESTAMP\"":
                return Timestamp;
            case "\"$VERSION\"":
                return Version;
            case "\"$INT\"":
                return @"-?\d+";
            case "$ANY":
                return ".*?";
            case "$DIR":
                return Regex.Escape(folder);
        }

        if (_nodes.TryGetValue(placeholder, out string? name))
        {
            return Regex.Escape(name);
        }

        string group = placeholder[1..];
        return groups.Add(group) ? $"(?<{group}>#block\\d+)" : $"\\k<{group}>";
    }
}
