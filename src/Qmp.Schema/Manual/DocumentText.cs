using System.Text.RegularExpressions;

namespace Qmp.Schema.Manual;

/// <summary>Text of the schema, taken apart: paragraphs, and in them words that name something.</summary>
internal static class DocumentText
{
    private static readonly Regex Mark = new("(?<![\\w@])@(?<name>[A-Za-z0-9][\\w.-]*\\w|[A-Za-z])|``(?<code>[^`\n]+)``", RegexOptions.CultureInvariant);

    public static IEnumerable<string> Paragraphs(string? text) =>
        (text ?? "").Split(["\n\n"], StringSplitOptions.RemoveEmptyEntries).Select(paragraph => paragraph.Replace('\n', ' ').Trim());

    /// <summary>Renders a paragraph.</summary>
    /// <param name="text">The paragraph.</param>
    /// <param name="plain">Renders what is no name.</param>
    /// <param name="name">Renders a name.</param>
    public static string Render(string text, Func<string, string> plain, Func<string, string> name)
    {
        var result = new System.Text.StringBuilder();
        var at = 0;
        foreach (Match match in Mark.Matches(text))
        {
            result.Append(plain(text.Substring(at, match.Index - at)));
            result.Append(name(match.Groups["name"].Success ? match.Groups["name"].Value : match.Groups["code"].Value));
            at = match.Index + match.Length;
        }

        return result.Append(plain(text.Substring(at))).ToString();
    }
}
