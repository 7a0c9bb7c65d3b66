using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Qmp.Sessions;

/// <summary>How the lines of a session are written, and what is seen in them.</summary>
internal static partial class SessionText
{
    /// <summary>Whether a line is an event.</summary>
    public static bool IsEvent(string line) =>
        line.StartsWith("""{"timestamp": """, StringComparison.Ordinal) || line.StartsWith("""{"event": """, StringComparison.Ordinal);

    /// <summary>What an event is about: events of one subject keep their order.</summary>
    public static string Subject(string line) => SubjectOfEvent().Match(line).Value;

    /// <summary>The number before an arrow: none for the first connection.</summary>
    public static string Prefix(int connection) => connection > 1 ? connection.ToString(CultureInfo.InvariantCulture) : "";

    /// <summary>A JSON string whose characters are bytes.</summary>
    public static string Quote(ReadOnlySpan<byte> bytes) =>
        "\"" + JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(System.Text.Encoding.Latin1.GetString(bytes)) + "\"";

    /// <summary>The characters of a JSON string, or null where it is none or holds what is not a byte.</summary>
    public static string? Unquote(string text)
    {
        try
        {
            var reader = new Utf8JsonReader(System.Text.Encoding.UTF8.GetBytes(text));
            if (!reader.Read() || reader.TokenType != JsonTokenType.String)
            {
                return null;
            }

            var value = reader.GetString()!;
            return !reader.Read() && value.All(c => c <= 0xff) ? value : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    [GeneratedRegex("""
        "(?:id|device|node-name|qom-path)": "[^"]*"
        """)]
    private static partial Regex SubjectOfEvent();
}
