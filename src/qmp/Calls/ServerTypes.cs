using System.Text.Json;
using System.Text.Json.Nodes;
using Qmp.Client;

namespace Qmp.Tool.Calls;

/// <summary>The types of a server's commands, as its <c>query-qmp-schema</c> tells them.</summary>
internal sealed class ServerTypes
{
    private readonly Dictionary<(string Meta, string Name), JsonElement> _entities = [];

    internal ServerTypes(JsonElement schema)
    {
        foreach (var entity in schema.EnumerateArray())
        {
            var meta = entity.GetProperty("meta-type").GetString()!;
            _entities[(meta == "command" ? meta : "", entity.GetProperty("name").GetString()!)] = entity;
        }
    }

    /// <summary>Asks a server; null where it has no introspection.</summary>
    public static async Task<ServerTypes?> AskAsync(QmpClient client, CancellationToken cancellation)
    {
        try
        {
            return new(await client.ExecuteAsync("query-qmp-schema", (JsonObject?)null, cancellationToken: cancellation));
        }
        catch (Exception e) when (e is QmpCommandException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Kind of JSON that an argument takes; null where it is not known or may be several.</summary>
    /// <param name="command">The command.</param>
    /// <param name="path">Names from the outermost object inwards.</param>
    /// <param name="given">The arguments until now: they choose among the branches of a union.</param>
    public string? KindOf(string command, string[] path, JsonObject given)
    {
        if (!_entities.TryGetValue(("command", command), out var entity))
        {
            return null;
        }

        var type = entity.GetProperty("arg-type").GetString();
        JsonObject? at = given;
        foreach (var name in path)
        {
            type = type == null ? null : MemberOf(type, name, at);
            at = at?[name] as JsonObject;
        }

        return type != null && _entities.TryGetValue(("", type), out var found) ? KindOf(found) : null;
    }

    private static string? KindOf(JsonElement type) => type.GetProperty("meta-type").GetString() switch
    {
        "builtin" => type.GetProperty("json-type").GetString() is not "value" and var kind ? kind : null,
        "enum" => "string",
        "array" => "array",
        "object" => "object",
        _ => null,
    };

    private string? MemberOf(string type, string name, JsonObject? given)
    {
        if (!_entities.TryGetValue(("", type), out var entity))
        {
            return null;
        }

        if (entity.GetProperty("meta-type").GetString() == "alternate")
        {
            return entity.GetProperty("members").EnumerateArray()
                .Select(member => MemberOf(member.GetProperty("type").GetString()!, name, given)).FirstOrDefault(found => found != null);
        }

        if (!entity.TryGetProperty("members", out var members) || entity.GetProperty("meta-type").GetString() != "object")
        {
            return null;
        }

        foreach (var member in members.EnumerateArray())
        {
            if (member.GetProperty("name").ValueEquals(name))
            {
                return member.GetProperty("type").GetString();
            }
        }

        var tag = entity.TryGetProperty("tag", out var tagName) && given?[tagName.GetString()!] is JsonValue value ? value.ToString() : null;
        return tag == null || !entity.TryGetProperty("variants", out var variants) ? null : variants.EnumerateArray()
            .Where(variant => variant.GetProperty("case").ValueEquals(tag))
            .Select(variant => MemberOf(variant.GetProperty("type").GetString()!, name, given)).FirstOrDefault();
    }
}
