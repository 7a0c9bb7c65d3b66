using System.Text;
using System.Text.Json;

namespace Qmp.Sessions;

/// <summary>Members of a JSON text whose values do not count.</summary>
internal static class FreeMembers
{
    private static readonly JsonReaderOptions Lenient = new() { MaxDepth = SessionLimits.Depth };

    /// <summary>Puts the same text in the place of the values of some members. What is not JSON stays as it is.</summary>
    public static string Blank(string text, HashSet<string> names)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var result = new StringBuilder();
        var done = 0;
        try
        {
            var reader = new Utf8JsonReader(bytes, Lenient);
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName && names.Contains(reader.GetString()!))
                {
                    reader.Read();
                    var start = (int)reader.TokenStartIndex;
                    reader.Skip();
                    result.Append(Encoding.UTF8.GetString(bytes, done, start - done)).Append("\"*\"");
                    done = (int)reader.BytesConsumed;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return text;
        }

        return result.Append(Encoding.UTF8.GetString(bytes, done, bytes.Length - done)).ToString();
    }
}
