using System.Text;

namespace Qmp.Schema.Parsing;

/// <summary>
/// A documentation block: text, then one paragraph per member (<c>@member: text</c>), features (after a line
/// <c>Features:</c>), and tagged sections (<c>Returns:</c>, <c>Errors:</c>, <c>Since:</c>, <c>Example:</c>, <c>TODO:</c>). A block
/// whose first line is <c>@Name:</c> belongs to the definition that follows; any other is free text.
/// </summary>
internal sealed class Documentation
{
    private static readonly string[] Tags = ["Returns", "Errors", "Since", "Example", "TODO"];

    private Documentation(SourceLocation location, string? name)
    {
        Location = location;
        Name = name;
    }

    public SourceLocation Location { get; }

    /// <summary>The definition it belongs to; null for free text.</summary>
    public string? Name { get; }

    public string Body { get; private set; } = "";

    /// <summary>Members, arguments, enumeration values or branches.</summary>
    public IReadOnlyDictionary<string, string> Members { get; private set; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Features { get; private set; } = new Dictionary<string, string>();

    public string? Returns { get; private set; }

    public string? Errors { get; private set; }

    public string? Since { get; private set; }

    /// <summary>A conversation that the tests have with the daemon, its lines as they are indented.</summary>
    public string? Example { get; private set; }

    public static Documentation Parse(SourceLocation location, string text)
    {
        var lines = text.Split('\n');
        var first = 0;
        while (first < lines.Length && lines[first].Length == 0)
        {
            first++;
        }

        if (first == lines.Length || lines[first][0] != '@')
        {
            return new Documentation(location, null) { Body = text.Trim('\n', ' ') };
        }

        SourceLocation At(int line) => new(location.File, location.Line + 1 + line);

        var title = lines[first];
        if (!IsItem(title, out var name, out var rest) || rest.Length > 0)
        {
            throw new SchemaException(At(first), "the first line of a definition's documentation is '@Name:'");
        }

        var documentation = new Documentation(location, name);
        documentation.ParseSections(lines, first + 1, At);
        return documentation;
    }

    private void ParseSections(string[] lines, int start, Func<int, SourceLocation> at)
    {
        var body = new StringBuilder();
        var members = new Dictionary<string, StringBuilder>();
        var features = new Dictionary<string, StringBuilder>();
        var tags = new Dictionary<string, StringBuilder>();
        var items = members;
        var current = body;
        for (var i = start; i < lines.Length; i++)
        {
            var line = lines[i];
            if (line == "Features:")
            {
                items = features;
                current = new StringBuilder();
            }
            else if (IsItem(line, out var name, out var rest))
            {
                if (items.ContainsKey(name))
                {
                    throw new SchemaException(at(i), $"'{name}' is documented twice");
                }

                items[name] = current = new StringBuilder(rest).Append('\n');
            }
            else if (IsTag(line, out var tag, out rest))
            {
                if (tags.ContainsKey(tag))
                {
                    throw new SchemaException(at(i), $"a second section '{tag}:'");
                }

                tags[tag] = current = new StringBuilder(rest).Append('\n');
            }
            else
            {
                // Text at the margin ends a member's paragraph; indented text continues it.
                if (line.Length > 0 && line[0] != ' ' && current != body && !tags.ContainsValue(current))
                {
                    current = body;
                    body.Append('\n');
                }

                current.Append(tags.TryGetValue("Example", out var example) && current == example ? line : line.Trim()).Append('\n');
            }
        }

        Body = Text(body);
        Members = members.ToDictionary(m => m.Key, m => Text(m.Value));
        Features = features.ToDictionary(m => m.Key, m => Text(m.Value));
        Returns = tags.TryGetValue("Returns", out var returns) ? Text(returns) : null;
        Errors = tags.TryGetValue("Errors", out var errors) ? Text(errors) : null;
        Since = tags.TryGetValue("Since", out var since) ? Text(since) : null;
        Example = tags.TryGetValue("Example", out var conversation) ? Unindented(conversation.ToString()) : null;
    }

    // "@name: text"
    private static bool IsItem(string line, out string name, out string rest)
    {
        var colon = line.IndexOf(':');
        if (line.Length == 0 || line[0] != '@' || colon < 2 || line.IndexOf(' ') is var space && space >= 0 && space < colon)
        {
            name = rest = "";
            return false;
        }

        name = line.Substring(1, colon - 1);
        rest = line.Substring(colon + 1).Trim();
        return true;
    }

    private static bool IsTag(string line, out string tag, out string rest)
    {
        foreach (var candidate in Tags)
        {
            if (line.StartsWith(candidate + ":", StringComparison.Ordinal))
            {
                tag = candidate;
                rest = line.Substring(candidate.Length + 1).Trim();
                return true;
            }
        }

        tag = rest = "";
        return false;
    }

    private static string Unindented(string text)
    {
        var lines = text.Split('\n').Where(line => line.Trim().Length > 0).ToList();
        var indent = lines.Count == 0 ? 0 : lines.Min(line => line.Length - line.TrimStart().Length);
        return string.Join("\n", lines.Select(line => line.Substring(indent).TrimEnd()));
    }

    private static string Text(StringBuilder text) => text.ToString().Trim('\n', ' ');
}
