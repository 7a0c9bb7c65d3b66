using System.Text;

namespace Qmp.Tool.Cli;

/// <summary>Standard output: colours on a terminal only, and never a control character that came from outside.</summary>
internal static class Terminal
{
    /// <summary>Whether standard output takes colours: a terminal that is not dumb, and NO_COLOR is not set.</summary>
    public static bool HasColours { get; } = !Console.IsOutputRedirected
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } and not "dumb";

    public static string Red(string text) => Coloured("31", text);

    public static string Green(string text) => Coloured("32", text);

    public static string Bold(string text) => Coloured("1", text);

    public static string Faint(string text) => Coloured("2", text);

    /// <summary>Writes a line to standard output, at once.</summary>
    public static void Line(string text)
    {
        Console.Out.Write(text + "\n");
        Console.Out.Flush();
    }

    /// <summary>Writes a line to standard error, behind the program's name.</summary>
    public static void Complain(string text) => Console.Error.Write($"qmp: {Clean(text, keepLines: true)}\n");

    /// <summary>Makes control characters visible.</summary>
    public static string Clean(string text, bool keepLines = false)
    {
        if (!text.Any(c => IsControl(c, keepLines)))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            _ = IsControl(c, keepLines) ? clean.Append($"\\u{(int)c:X4}") : clean.Append(c);
        }

        return clean.ToString();
    }

    private static bool IsControl(char c, bool keepLines) => char.IsControl(c) && !(keepLines && c == '\n');

    private static string Coloured(string code, string text) => HasColours ? $"\e[{code}m{text}\e[0m" : text;
}
