using System.Text.Json;
using System.Text.Json.Nodes;
using Qmp.Client;

namespace Qmp.Tool.Calls;

/// <summary>A member of an object as introspection tells of it.</summary>
internal sealed record ServerMember(string Name, string Type, bool IsOptional);

/// <summary>The types of a server's commands, as its <c>query-qmp-schema</c> tells them. Types are named as there.</summary>
internal sealed class ServerTypes
{
    private const int MaxDepth = 32;

    private readonly Dictionary<(string Meta, string Name), JsonElement> _entities = [];

    internal ServerTypes(JsonElement schema)
    {
        foreach (var entity in schema.EnumerateArray())
        {
            var meta = Text(entity, "meta-type");
            _entities[(meta is "command" or "event" ? meta : "", Text(entity, "name"))] = entity;
        }

        Commands = [.. _entities.Keys.Where(key => key.Meta == "command").Select(key => key.Name).Order(StringComparer.Ordinal)];
    }

    /// <summary>The names of all commands, sorted.</summary>
    public IReadOnlyList<string> Commands { get; }

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

    /// <summary>The object that a command takes as its arguments; null if the command is not known.</summary>
    public string? ArgumentsOf(string command) => _entities.TryGetValue(("command", command), out var entity) ? Text(entity, "arg-type") : null;

    /// <summary>What a command returns; null if the command is not known.</summary>
    public string? ReturnOf(string command) => _entities.TryGetValue(("command", command), out var entity) ? Text(entity, "ret-type") : null;

    /// <summary>The names of what <c>transaction</c> can do.</summary>
    public IReadOnlyList<string> Actions => Action() is { } action && Members(action, null).FirstOrDefault(member => member.Name == "type") is { } type
        ? Values(type.Type) : [];

    /// <summary>The object that holds the arguments of an action of <c>transaction</c>; null if it is not known.</summary>
    public string? ArgumentsOfAction(string name) => Action() is not { } action ? null
        : Members(action, new JsonObject { ["type"] = name }).FirstOrDefault(member => member.Name == "data")?.Type;

    /// <summary>The type of something within an object; null where it is not known.</summary>
    /// <param name="type">The object.</param>
    /// <param name="path">Names from the outermost object inwards.</param>
    /// <param name="given">The values until now: they choose among the branches of a union.</param>
    public string? TypeAt(string? type, IEnumerable<string> path, JsonObject? given)
    {
        foreach (var name in path)
        {
            type = type is null ? null : Members(type, given).FirstOrDefault(member => member.Name == name)?.Type;
            given = given?[name] as JsonObject;
        }

        return type;
    }

    /// <summary>Kind of JSON that a type is: its <c>json-type</c>; null where it is not known or may be several.</summary>
    public string? KindOf(string? type) => type is null || !_entities.TryGetValue(("", type), out var entity) ? null : Meta(entity) switch
    {
        "builtin" => Text(entity, "json-type") is not "value" and var kind ? kind : null,
        "enum" => "string",
        "array" => "array",
        "object" => "object",
        _ => null,
    };

    /// <summary>The members of an object, those of the branch that is chosen included; of an alternate those of its object.</summary>
    public IReadOnlyList<ServerMember> Members(string type, JsonObject? given) => Members(type, given, 0);

    /// <summary>The members that choose a branch and are not given.</summary>
    public string? OpenChoice(string type, JsonObject? given) =>
        _entities.TryGetValue(("", type), out var entity) && entity.TryGetProperty("tag", out var tag) && given?[tag.GetString()!] is not JsonValue ? tag.GetString() : null;

    /// <summary>All values that a type can have, if they are few and have names; empty otherwise.</summary>
    public IReadOnlyList<string> Values(string type) => !_entities.TryGetValue(("", type), out var entity) ? [] : Meta(entity) switch
    {
        "enum" => [.. entity.TryGetProperty("members", out var members)
            ? members.EnumerateArray().Select(member => Text(member, "name"))
            : entity.GetProperty("values").EnumerateArray().Select(value => value.GetString()!)],
        "builtin" when Text(entity, "json-type") == "boolean" => ["on", "off"],
        "alternate" => [.. Branches(entity).Where(branch => KindOf(branch) != null).SelectMany(Values)],
        _ => [],
    };

    /// <summary>A type in words.</summary>
    public string Describe(string? type, int depth = 0)
    {
        if (type is null || depth > 4 || !_entities.TryGetValue(("", type), out var entity))
        {
            return "any value";
        }

        switch (Meta(entity))
        {
            case "builtin":
                return Text(entity, "json-type") switch { "int" => "integer", "value" => "any value", var kind => kind };
            case "enum":
                return "one of " + string.Join(", ", Values(type));
            case "array":
                return "list: " + Describe(Text(entity, "element-type"), depth + 1);
            case "alternate":
                return string.Join(" or ", Branches(entity).Select(branch => Describe(branch, depth + 1)).Distinct());
            default:
                return "object";
        }
    }

    /// <summary>Whether a type is an object or may be one.</summary>
    public bool MayBeObject(string type) => _entities.TryGetValue(("", type), out var entity)
        && (Meta(entity) == "object" || (Meta(entity) == "alternate" && Branches(entity).Any(branch => KindOf(branch) == "object")));

    private static string Meta(JsonElement entity) => Text(entity, "meta-type");

    private static string Text(JsonElement item, string name) => item.GetProperty(name).GetString() ?? "";

    private static IEnumerable<string> Branches(JsonElement alternate) =>
        alternate.GetProperty("members").EnumerateArray().Select(member => Text(member, "type"));

    private string? Action() => TypeAt(ArgumentsOf("transaction"), ["actions"], null) is { } actions
        && _entities.TryGetValue(("", actions), out var entity) && Meta(entity) == "array" ? Text(entity, "element-type") : null;

    private IReadOnlyList<ServerMember> Members(string type, JsonObject? given, int depth)
    {
        if (depth > MaxDepth || !_entities.TryGetValue(("", type), out var entity))
        {
            return [];
        }

        if (Meta(entity) == "alternate")
        {
            return Branches(entity).Select(branch => Members(branch, given, depth + 1)).FirstOrDefault(members => members.Count > 0) ?? [];
        }

        if (Meta(entity) != "object")
        {
            return [];
        }

        List<ServerMember> members =
        [
            .. entity.GetProperty("members").EnumerateArray().Select(member => new ServerMember(Text(member, "name"), Text(member, "type"), member.TryGetProperty("default", out _))),
        ];
        if (entity.TryGetProperty("tag", out var tag) && given?[tag.GetString()!] is JsonValue chosen && entity.TryGetProperty("variants", out var variants))
        {
            members.AddRange(variants.EnumerateArray().Where(variant => variant.GetProperty("case").ValueEquals(chosen.ToString()))
                .SelectMany(variant => Members(Text(variant, "type"), given, depth + 1)));
        }

        return members;
    }
}
