using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Qmp.Tool.Calls;

/// <summary>Turns <c>key=value</c> words into the arguments of a command.</summary>
internal static class KeyValueArguments
{
    private const int MaxDepth = 32;

    /// <param name="words">Each <c>key=value</c>; a dot in the key leads into a nested object.</param>
    /// <param name="types">What the server says about types; null where it cannot.</param>
    /// <param name="type">The object that the arguments make; null if it is not known.</param>
    /// <exception cref="FormatException">A word is no argument.</exception>
    public static JsonObject Read(IReadOnlyList<string> words, ServerTypes? types, string? type)
    {
        var arguments = new JsonObject();
        foreach (var word in words)
        {
            var equals = word.IndexOf('=');
            if (equals <= 0)
            {
                throw new FormatException($"'{word}' is not key=value");
            }

            var path = word[..equals].Split('.');
            if (path.Length > MaxDepth || path.Contains(""))
            {
                throw new FormatException($"'{word[..equals]}' is no name of an argument");
            }

            Set(arguments, path, ValueOf(word[(equals + 1)..], word[..equals], types?.KindOf(types.TypeAt(type, path, arguments))));
        }

        return arguments;
    }

    private static void Set(JsonObject into, string[] path, JsonNode? value)
    {
        for (var i = 0; i < path.Length - 1; i++)
        {
            if (!into.TryGetPropertyValue(path[i], out var inner))
            {
                into[path[i]] = inner = new JsonObject();
            }

            into = inner as JsonObject ?? throw new FormatException($"'{string.Join('.', path[..(i + 1)])}' is a value and an object");
        }

        if (!into.TryAdd(path[^1], value))
        {
            throw new FormatException($"'{string.Join('.', path)}' is there twice");
        }
    }

    private static JsonNode? ValueOf(string text, string key, string? kind) => kind switch
    {
        "string" => JsonValue.Create(text),
        "int" => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? JsonValue.Create(number)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var large) ? JsonValue.Create(large)
            : throw new FormatException($"'{key}' is an integer, not '{text}'"),
        "boolean" => text switch
        {
            "on" or "true" or "yes" or "y" => JsonValue.Create(true),
            "off" or "false" or "no" or "n" => JsonValue.Create(false),
            _ => throw new FormatException($"'{key}' is on or off, not '{text}'"),
        },
        "number" or "array" or "object" or "null" => Json(text) ?? throw new FormatException($"'{key}' is JSON of the kind {kind}, not '{text}'"),
        // Not known, or of several kinds: what looks like JSON is.
        _ => Json(text) ?? JsonValue.Create(text),
    };

    private static JsonNode? Json(string text)
    {
        try
        {
            return text.Length > 0 && !text.StartsWith('"') ? JsonNode.Parse(text) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
