using System.Text;

namespace Qmp.Tool.Shell;

/// <summary>A line taken apart. Quotes keep spaces together and go away; so do brackets of JSON, which stay.</summary>
internal static class ShellWords
{
    /// <summary>The words of a line.</summary>
    /// <exception cref="FormatException">A quote or a bracket is open at its end.</exception>
    public static List<string> Split(string line)
    {
        var words = Scan(line, out var open);
        return open is { } sign ? throw new FormatException($"nothing closes the {sign}") : [.. words.Select(word => word.Text)];
    }

    /// <summary>The words of a line that is not finished, each with where it begins. A line that ends in a space has an
    /// empty last word.</summary>
    public static List<(string Text, int Start)> SplitOpen(string line)
    {
        var words = Scan(line, out _);
        if (line.Length == 0 || (words.Count == 0 || line[^1] == ' ') && !EndsInside(line))
        {
            words.Add(("", line.Length));
        }

        return words;
    }

    private static bool EndsInside(string line)
    {
        Scan(line, out var open);
        return open is not null;
    }

    private static List<(string Text, int Start)> Scan(string line, out char? open)
    {
        var words = new List<(string, int)>();
        var word = new StringBuilder();
        var closers = new Stack<char>();
        var start = -1;
        char? quote = null;
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (quote is { } until)
            {
                var inJson = closers.Count > 0;
                if (c == '\\' && until == '"' && i + 1 < line.Length)
                {
                    _ = inJson ? word.Append(c).Append(line[++i]) : word.Append(line[++i]);
                }
                else if (c == until)
                {
                    quote = null;
                    _ = inJson ? word.Append(c) : word;
                }
                else
                {
                    word.Append(c);
                }

                continue;
            }

            if (c is ' ' or '\t' && closers.Count == 0)
            {
                if (start >= 0)
                {
                    words.Add((word.ToString(), start));
                    word.Clear();
                    start = -1;
                }

                continue;
            }

            start = start < 0 ? i : start;
            if (c is '"' or '\'')
            {
                quote = c;
                _ = closers.Count > 0 ? word.Append(c) : word;
                continue;
            }

            if (c is '{' or '[')
            {
                closers.Push(c == '{' ? '}' : ']');
            }
            else if (closers.TryPeek(out var closer) && c == closer)
            {
                closers.Pop();
            }

            word.Append(c);
        }

        if (start >= 0)
        {
            words.Add((word.ToString(), start));
        }

        open = quote ?? (closers.TryPeek(out var missing) ? missing == '}' ? '{' : '[' : null);
        return words;
    }
}
