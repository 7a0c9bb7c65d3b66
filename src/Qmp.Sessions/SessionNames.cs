using System.Globalization;
using System.Text.RegularExpressions;

namespace Qmp.Sessions;

/// <summary>
/// What the placeholders of one run stand for: the folder, and the node names that the daemon has made up. Any thread,
/// one at a time.
/// </summary>
/// <param name="folder">What <c>$DIR</c> stands for; empty for nothing.</param>
/// <param name="free">Members whose values may be anything.</param>
public sealed partial class SessionNames(string folder, IReadOnlyCollection<string>? free = null)
{
    private readonly Dictionary<string, string> _nodes = [];
    private readonly HashSet<string> _free = [.. free ?? []];

    /// <summary>Puts known values into a text that is sent or run.</summary>
    public string Expand(string text) =>
        Sent().Replace(text, match => match.Value == "$DIR" ? Folder : _nodes.GetValueOrDefault(match.Value, match.Value));

    /// <summary>Compares what came with what was recorded, and learns the names that it sees for the first time.</summary>
    public bool Matches(string recorded, string received) => Matches(recorded, received, out _);

    /// <summary>As <see cref="Matches(string, string)"/>.</summary>
    /// <param name="recorded">A line of the file.</param>
    /// <param name="received">A line of the other side.</param>
    /// <param name="reached">How many characters of what was received are as expected.</param>
    public bool Matches(string recorded, string received, out int reached)
    {
        if (SessionPattern.Parse(recorded, folder).Matches(received, _nodes, out reached))
        {
            return true;
        }

        return _free.Count > 0
            && SessionPattern.Parse(FreeMembers.Blank(recorded, _free), folder).Matches(FreeMembers.Blank(received, _free), _nodes, out _);
    }

    /// <summary>Turns what was received into what is recorded.</summary>
    public string Generalize(string received)
    {
        string text = Timestamp().Replace(received, "\"$$TIMESTAMP\"");
        text = Version().Replace(text, "\"$$VERSION\"");
        text = ActualSize().Replace(text, "\"actual-size\": \"$$INT\"");
        return GeneralizeNames(text);
    }

    /// <summary>Turns what was sent into what is recorded: the folder and the names of this run only.</summary>
    public string GeneralizeNames(string sent)
    {
        var text = folder.Length == 0 ? sent : sent.Replace(folder, "$DIR", StringComparison.Ordinal);
        return SessionPattern.GeneratedName().Replace(text, match =>
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

    /// <summary>Puts values of one's own in the place of all placeholders: what a server says.</summary>
    public string Invent(string recorded)
    {
        var now = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / 10;
        return SessionPattern.Placeholder().Replace(recorded, match => match.Value switch
        {
            "\"$TIMESTAMP\"" => string.Create(CultureInfo.InvariantCulture,
                $$"""{"seconds": {{now / 1_000_000}}, "microseconds": {{now % 1_000_000}}}"""),
            "\"$VERSION\"" => """{"qemu": {"micro": 0, "minor": 0, "major": 11}, "package": ""}""",
            "\"$INT\"" => "0",
            "$ANY" => "",
            "$DIR" => Folder,
            var node => Node(node),
        });
    }

    private string Folder => folder.Length == 0 ? "$DIR" : folder;

    private string Node(string placeholder)
    {
        if (!_nodes.TryGetValue(placeholder, out var name))
        {
            name = "#block" + (100 + _nodes.Count).ToString(CultureInfo.InvariantCulture);
            _nodes[placeholder] = name;
        }

        return name;
    }

    [GeneratedRegex(@"\{""seconds"": \d+, ""microseconds"": \d+\}")]
    private static partial Regex Timestamp();

    [GeneratedRegex(@"\{""qemu"": \{""micro"": \d+, ""minor"": \d+, ""major"": \d+\}, ""package"": ""(?:[^""\\]|\\.)*""\}")]
    private static partial Regex Version();

    [GeneratedRegex(@"""actual-size"": \d+")]
    private static partial Regex ActualSize();

    [GeneratedRegex(@"\$DIR\b|\$NODE\d+", RegexOptions.CultureInvariant)]
    private static partial Regex Sent();
}
