using System.Text.RegularExpressions;

namespace Qmp.Sessions;

/// <summary>
/// A recorded line with its placeholders, matched without regular expressions: a recording cannot make it slow, and
/// a mismatch has a place.
/// </summary>
internal sealed partial class SessionPattern
{
    private readonly List<Part> _parts = [];

    private SessionPattern()
    {
    }

    private enum PartKind
    {
        Literal,
        Digits,
        Integer,
        StringBody,
        Name,
        Anything,
        Escape,
    }

    /// <summary>Takes a recorded line apart.</summary>
    /// <param name="recorded">The line.</param>
    /// <param name="folder">What <c>$DIR</c> stands for.</param>
    public static SessionPattern Parse(string recorded, string folder)
    {
        var pattern = new SessionPattern();
        var at = 0;
        foreach (var match in Placeholder().EnumerateMatches(recorded))
        {
            pattern.LiteralText(recorded[at..match.Index]);
            at = match.Index + match.Length;
            pattern.Add(recorded.Substring(match.Index, match.Length), folder);
        }

        pattern.LiteralText(recorded[at..]);
        return pattern;
    }

    /// <summary>Compares, and learns the names that it sees for the first time.</summary>
    /// <param name="text">What was received.</param>
    /// <param name="names">Names known, by their placeholder; new ones are added only when all matches.</param>
    /// <param name="reached">How much of <paramref name="text"/> was as expected.</param>
    public bool Matches(string text, Dictionary<string, string> names, out int reached)
    {
        Dictionary<string, string> learned = [];
        Dictionary<string, string> learnedBefore = [];
        int part = 0, position = 0, afterAnything = -1, resume = 0;
        reached = 0;
        while (true)
        {
            if (part == _parts.Count && position == text.Length)
            {
                foreach (var (placeholder, name) in learned)
                {
                    names[placeholder] = name;
                }

                return true;
            }

            if (part < _parts.Count && _parts[part].Kind == PartKind.Anything)
            {
                afterAnything = ++part;
                resume = position;
                learnedBefore = new(learned);
                continue;
            }

            var length = part < _parts.Count ? Measure(_parts[part], text, position, names, learned, ref reached) : -1;
            if (length >= 0)
            {
                position += length;
                reached = Math.Max(reached, position);
                part++;
                continue;
            }

            // Not here: what "anything" stands for reaches further.
            if (afterAnything < 0 || resume >= text.Length)
            {
                return false;
            }

            resume++;
            if (afterAnything == _parts.Count)
            {
                resume = text.Length;
            }
            else if (_parts[afterAnything].Kind == PartKind.Literal)
            {
                var next = text.IndexOf(_parts[afterAnything].Text, resume, StringComparison.Ordinal);
                if (next < 0)
                {
                    return false;
                }

                resume = next;
            }

            position = resume;
            part = afterAnything;
            learned = new(learnedBefore);
        }
    }

    /// <summary>All placeholders.</summary>
    [GeneratedRegex("""
        "\$TIMESTAMP"|"\$VERSION"|"\$INT"|\$DIR\b|\$ANY\b|\$NODE\d+
        """, RegexOptions.CultureInvariant)]
    public static partial Regex Placeholder();

    /// <summary>An escape of a JSON string with a letter among its digits, or with an escaped backslash before it, which is none.</summary>
    [GeneratedRegex(@"\\\\|\\u(?=[0-9]{0,3}[A-Fa-f])[0-9A-Fa-f]{4}")]
    private static partial Regex Escape();

    /// <summary>A name that the daemon makes up.</summary>
    [GeneratedRegex(@"#block\d+")]
    public static partial Regex GeneratedName();

    // The length of the part at this position, or -1.
    private static int Measure(
        Part part, string text, int position, Dictionary<string, string> names, Dictionary<string, string> learned, ref int reached)
    {
        var rest = text.AsSpan(position);
        switch (part.Kind)
        {
            case PartKind.Literal:
                var common = rest.CommonPrefixLength(part.Text);
                reached = Math.Max(reached, position + common);
                return common == part.Text.Length ? common : -1;
            case PartKind.Escape:
                var escape = part.Text.Length;
                return rest.StartsWith(part.Text, StringComparison.OrdinalIgnoreCase) && rest.StartsWith(@"\u") ? escape : -1;
            case PartKind.Digits:
                return Digits(rest) is > 0 and var count ? count : -1;
            case PartKind.Integer:
                var sign = rest.StartsWith("-") ? 1 : 0;
                return Digits(rest[sign..]) is > 0 and var digits ? sign + digits : -1;
            case PartKind.StringBody:
                var end = 0;
                while (end < rest.Length && rest[end] != '"')
                {
                    end += rest[end] == '\\' ? 2 : 1;
                }

                return Math.Min(end, rest.Length);
            default:
                if (names.TryGetValue(part.Text, out var known) || learned.TryGetValue(part.Text, out known))
                {
                    return rest.StartsWith(known, StringComparison.Ordinal) ? known.Length : -1;
                }

                const string Start = "#block";
                if (!rest.StartsWith(Start, StringComparison.Ordinal) || Digits(rest[Start.Length..]) is not (> 0 and var number))
                {
                    return -1;
                }

                learned[part.Text] = rest[..(Start.Length + number)].ToString();
                return Start.Length + number;
        }
    }

    private static int Digits(ReadOnlySpan<char> text)
    {
        var end = text.IndexOfAnyExceptInRange('0', '9');
        return end < 0 ? text.Length : end;
    }

    // Versions of QEMU differ in the case of an escape's digits.
    private void LiteralText(string text)
    {
        var at = 0;
        foreach (var match in Escape().EnumerateMatches(text))
        {
            if (text[match.Index + 1] == 'u')
            {
                Literal(text[at..match.Index]);
                at = match.Index + match.Length;
                _parts.Add(new(PartKind.Escape, text[match.Index..at]));
            }
        }

        Literal(text[at..]);
    }

    private void Literal(string text)
    {
        if (text.Length > 0)
        {
            _parts.Add(new(PartKind.Literal, text));
        }
    }

    private void Add(string placeholder, string folder)
    {
        switch (placeholder)
        {
            case "\"$TIMESTAMP\"":
                Literal("{\"seconds\": ");
                _parts.Add(new(PartKind.Digits, ""));
                Literal(", \"microseconds\": ");
                _parts.Add(new(PartKind.Digits, ""));
                Literal("}");
                break;
            case "\"$VERSION\"":
                Literal("{\"qemu\": {\"micro\": ");
                _parts.Add(new(PartKind.Digits, ""));
                Literal(", \"minor\": ");
                _parts.Add(new(PartKind.Digits, ""));
                Literal(", \"major\": ");
                _parts.Add(new(PartKind.Digits, ""));
                Literal("}, \"package\": \"");
                _parts.Add(new(PartKind.StringBody, ""));
                Literal("\"}");
                break;
            case "\"$INT\"":
                _parts.Add(new(PartKind.Integer, ""));
                break;
            case "$ANY":
                _parts.Add(new(PartKind.Anything, ""));
                break;
            case "$DIR":
                Literal(folder);
                break;
            default:
                _parts.Add(new(PartKind.Name, placeholder));
                break;
        }
    }

    private readonly record struct Part(PartKind Kind, string Text);
}
