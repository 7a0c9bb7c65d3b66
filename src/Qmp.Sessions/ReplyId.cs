using System.Text;
using System.Text.Json;

namespace Qmp.Sessions;

/// <summary>The <c>id</c> of a message: read, and changed without touching anything else of the text.</summary>
internal static class ReplyId
{
    private static readonly JsonReaderOptions Deep = new() { MaxDepth = SessionLimits.Depth };

    /// <summary>The raw value of the member, or null; null also for what is no JSON object.</summary>
    public static string? Find(string message) =>
        TryFind(Encoding.UTF8.GetBytes(message), out _, out var start, out var end, out var bytes) ? Encoding.UTF8.GetString(bytes[start..end]) : null;

    /// <summary>Gives a reply another id, or none.</summary>
    public static string Change(string message, string? id)
    {
        if (!TryFind(Encoding.UTF8.GetBytes(message), out var name, out var start, out var end, out var bytes))
        {
            return id is null || !message.EndsWith('}') ? message : $"{message[..^1]}, \"id\": {id}}}";
        }

        if (id is null)
        {
            // With the comma behind it, or the one before it.
            var rest = Encoding.UTF8.GetString(bytes[end..]);
            var before = Encoding.UTF8.GetString(bytes[..name]).TrimEnd();
            return rest.StartsWith(',') ? before + rest[1..].TrimStart() : before.TrimEnd(',') + rest;
        }

        return Encoding.UTF8.GetString(bytes[..start]) + id + Encoding.UTF8.GetString(bytes[end..]);
    }

    private static bool TryFind(byte[] message, out int name, out int start, out int end, out byte[] bytes)
    {
        (name, start, end, bytes) = (0, 0, 0, message);
        try
        {
            var reader = new Utf8JsonReader(message, Deep);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isId = reader.ValueTextEquals("id"u8);
                name = (int)reader.TokenStartIndex;
                reader.Read();
                start = (int)reader.TokenStartIndex;
                reader.Skip();
                end = (int)reader.BytesConsumed;
                if (isId)
                {
                    return true;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No message at all.
        }

        return false;
    }
}
