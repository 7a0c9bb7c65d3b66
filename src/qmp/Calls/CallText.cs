using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qmp.Client;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Calls;

/// <summary>Arguments, replies and events as text, for people or as one line of JSON.</summary>
internal static class CallText
{
    /// <summary>The arguments of a command.</summary>
    /// <param name="words">Each <c>key=value</c>, or one JSON object.</param>
    /// <param name="command">The command.</param>
    /// <param name="ask">Asks for the types of the server, if they are needed.</param>
    /// <exception cref="FormatException">They are no arguments.</exception>
    /// <exception cref="JsonException">They are no JSON.</exception>
    public static async ValueTask<JsonObject?> ArgumentsAsync(IReadOnlyList<string> words, string command, Func<Task<ServerTypes?>> ask)
    {
        if (words.Count == 0)
        {
            return null;
        }

        if (words is [var only] && only.StartsWith('{'))
        {
            return JsonNode.Parse(only) as JsonObject;
        }

        var types = await ask();
        return KeyValueArguments.Read(words, types, types?.ArgumentsOf(command));
    }

    /// <summary>A reply; empty where it is an empty object and for people.</summary>
    public static string Reply(JsonElement reply, bool json)
    {
        if (json)
        {
            return "{\"return\":" + JsonText.Of(reply) + "}";
        }

        if (reply.ValueKind == JsonValueKind.Object && !reply.EnumerateObject().Any())
        {
            return "";
        }

        // A string is printed as it is: what the human monitor answers, for instance.
        return reply.ValueKind == JsonValueKind.String
            ? Terminal.Clean(reply.GetString()!.ReplaceLineEndings("\n").TrimEnd('\n'), keepLines: true)
            : JsonText.Of(reply, indented: true);
    }

    /// <summary>An error as JSON.</summary>
    public static string Error(QmpCommandException error) => JsonText.Of(new JsonObject
    {
        ["error"] = new JsonObject { ["class"] = error.ClassName, ["desc"] = error.Description },
    });

    /// <summary>An event.</summary>
    public static string Event(QmpReceivedEvent received, bool json)
    {
        var hasData = received.Data.ValueKind != JsonValueKind.Undefined;
        if (json)
        {
            var line = new JsonObject { ["event"] = received.Name };
            if (hasData)
            {
                line["data"] = received.Data.ValueKind switch
                {
                    JsonValueKind.Object => JsonObject.Create(received.Data),
                    JsonValueKind.Array => JsonArray.Create(received.Data), // no event of QEMU's, but a server may say anything
                    _ => JsonValue.Create(received.Data),
                };
            }

            if (received.Timestamp is { } at)
            {
                line["timestamp"] = at.ToString("O", CultureInfo.InvariantCulture);
            }

            return JsonText.Of(line);
        }

        var time = received.Timestamp?.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture) ?? "-";
        return $"{Terminal.Faint(time)} {Terminal.Bold(Terminal.Clean(received.Name))} {(hasData ? Terminal.Clean(JsonText.Of(received.Data)) : "")}".TrimEnd();
    }
}
