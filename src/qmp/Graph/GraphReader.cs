using System.Text.Json;
using System.Text.Json.Nodes;
using Qmp.Client;

namespace Qmp.Tool.Graph;

/// <summary>Asks a server for its block graph, with the commands that it has.</summary>
internal static class GraphReader
{
    private static readonly JsonElement Nothing = JsonDocument.Parse("[]").RootElement;

    /// <exception cref="QmpCommandException">The server does not tell its graph.</exception>
    /// <exception cref="FormatException">What it tells makes no sense.</exception>
    public static async Task<BlockGraph> ReadAsync(QmpClient client, CancellationToken cancellation)
    {
        var graph = await client.ExecuteAsync("x-debug-query-block-graph", (JsonObject?)null, cancellationToken: cancellation);
        var nodes = await AskAsync("query-named-block-nodes", new JsonObject { ["flat"] = true });
        var exports = await AskAsync("query-block-exports", null);
        var activity = await AskAsync("query-block-activity", null);
        try
        {
            return Build(graph, nodes, exports, activity);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new FormatException($"the server's block graph cannot be read: {e.Message}", e);
        }

        async Task<JsonElement> AskAsync(string command, JsonObject? arguments)
        {
            try
            {
                return await client.ExecuteAsync(command, arguments, cancellationToken: cancellation);
            }
            catch (QmpCommandException e) when (e.ClassName == "CommandNotFound")
            {
                return Nothing;
            }
        }
    }

    internal static BlockGraph Build(JsonElement graph, JsonElement nodes, JsonElement exports, JsonElement activity)
    {
        var details = ByName(nodes);
        var loops = ByName(activity);
        // Newest first on the wire.
        var drawn = graph.GetProperty("nodes").EnumerateArray().Reverse().ToList();
        var edges = graph.GetProperty("edges").EnumerateArray().ToLookup(edge => edge.GetProperty("parent").GetUInt64());
        var boxes = new List<GraphBox>();
        var result = new List<GraphEdge>();
        var numbers = new Dictionary<ulong, int>();
        var names = new Dictionary<string, int>();
        var users = new List<JsonElement>();
        foreach (var node in drawn)
        {
            var name = Text(node, "name");
            if (Text(node, "type") != "block-driver")
            {
                users.Add(node);
                continue;
            }

            numbers[Id(node)] = names[name] = boxes.Count;
            boxes.Add(Describe(name, details.GetValueOrDefault(name), LoopOf(name)));
        }

        AddExports();
        foreach (var user in users)
        {
            numbers[Id(user)] = boxes.Count;
            boxes.Add(new(Text(user, "type") == "block-job" ? GraphBoxKind.Job : GraphBoxKind.User, Text(user, "name")));
        }

        foreach (var edge in drawn.SelectMany(node => edges[Id(node)]))
        {
            if (numbers.TryGetValue(edge.GetProperty("parent").GetUInt64(), out var parent)
                && numbers.TryGetValue(edge.GetProperty("child").GetUInt64(), out var child))
            {
                result.Add(new(parent, child, Text(edge, "name")) { Permissions = List(edge, "perm"), Shared = List(edge, "shared-perm") });
            }
        }

        return new(boxes, result);

        string? LoopOf(string name) => !loops.TryGetValue(name, out var node) ? null
            : node.TryGetProperty("iothread", out var thread) ? thread.GetString() : "main";

        // The graph shows an export as a user without a name. Where a node has as many of them as exports they are the
        // same ones; which is which does not matter while all may do the same.
        void AddExports()
        {
            foreach (var group in exports.EnumerateArray().GroupBy(export => Text(export, "node-name")))
            {
                if (!names.TryGetValue(group.Key, out var node))
                {
                    continue;
                }

                var nameless = users.Where(user => Text(user, "name").Length == 0 && Text(user, "type") == "block-backend"
                    && edges[Id(user)].ToList() is [var only] && numbers.GetValueOrDefault(only.GetProperty("child").GetUInt64(), -1) == node).ToList();
                var same = nameless.Count == group.Count();
                var roots = nameless.Select(user => edges[Id(user)].First()).ToList();
                var alike = same && roots.Select(root => $"{string.Join(' ', List(root, "perm"))}/{string.Join(' ', List(root, "shared-perm"))}").Distinct().Count() == 1;
                foreach (var export in group)
                {
                    result.Add(new(boxes.Count, node, "root")
                    {
                        Permissions = alike ? List(roots[0], "perm") : null,
                        Shared = alike ? List(roots[0], "shared-perm") : null,
                    });
                    boxes.Add(new(GraphBoxKind.Export, Text(export, "id")) { Type = Text(export, "type"), Loop = LoopOf(group.Key) });
                }

                if (same)
                {
                    users.RemoveAll(nameless.Contains);
                }
            }
        }
    }

    private static GraphBox Describe(string name, JsonElement node, string? loop)
    {
        if (node.ValueKind != JsonValueKind.Object)
        {
            return new(GraphBoxKind.Node, name) { Loop = loop };
        }

        var hasImage = node.TryGetProperty("image", out var image);
        return new(GraphBoxKind.Node, name)
        {
            Type = Text(node, "drv"),
            SizeBytes = hasImage && image.TryGetProperty("virtual-size", out var size) ? size.GetInt64() : null,
            // What has no name of its own is described in JSON: the picture shows it anyway.
            File = node.TryGetProperty("file", out var file) && file.GetString() is { } path && !path.StartsWith("json:", StringComparison.Ordinal) ? path : null,
            ReadOnly = node.TryGetProperty("ro", out var readOnly) ? readOnly.GetBoolean() : null,
            Loop = loop,
        };
    }

    private static Dictionary<string, JsonElement> ByName(JsonElement list)
    {
        var result = new Dictionary<string, JsonElement>();
        foreach (var item in list.EnumerateArray().Where(item => item.TryGetProperty("node-name", out _)))
        {
            result[Text(item, "node-name")] = item;
        }

        return result;
    }

    private static ulong Id(JsonElement node) => node.GetProperty("id").GetUInt64();

    private static string Text(JsonElement item, string name) => item.GetProperty(name).GetString() ?? "";

    private static string[] List(JsonElement item, string name) =>
        [.. item.GetProperty(name).EnumerateArray().Select(permission => permission.GetString() ?? "")];
}
