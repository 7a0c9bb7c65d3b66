using System.CommandLine;
using System.Text.Json.Nodes;
using Qmp.Client;
using Qmp.Tool.Calls;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Graph;

/// <summary><c>qmp graph</c>: the block graph as a picture.</summary>
internal static class GraphCommand
{
    private const double DefaultPatience = 60;

    public static Command Create()
    {
        var server = new ServerOptions();
        var format = new Option<string>("--format")
        {
            Description = "text, dot (for Graphviz) or svg (default: what the name of the file says, or text)",
            HelpName = "FORMAT",
        };
        format.AcceptOnlyFromAmong("text", "dot", "svg");
        var output = new Option<string>("--output") { Description = "The file to write (default: standard output)", HelpName = "FILE", DefaultValueFactory = _ => "-" };
        var timeout = Arguments.Timeout(DefaultPatience, "How long to wait for a reply");
        var json = Arguments.Json("Print what was asked as JSON instead of a picture");
        var command = new Command("graph", "Draw the block graph: nodes, roles, permissions, loops and exports");
        server.AddTo(command);
        command.Add(format);
        command.Add(output);
        command.Add(timeout);
        command.Add(json);
        command.Validators.Add(result =>
        {
            if (result.GetValue(json) && result.GetResult(format) is { Implicit: false })
            {
                result.AddError("--json and --format exclude each other");
            }
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(output);
            var kind = parsed.GetValue(json) ? "json"
                : parsed.GetValue(format) ?? (Path.GetExtension(path) switch { ".svg" => "svg", ".dot" or ".gv" => "dot", _ => "text" });
            BlockGraph graph;
            string picture;
            try
            {
                await using var client = await server.ConnectAsync(parsed, TimeSpan.FromSeconds(parsed.GetValue(timeout)), cancellation);
                graph = await GraphReader.ReadAsync(client, cancellation);
                picture = kind switch
                {
                    "json" => JsonText.Of(Json(graph)) + "\n",
                    "svg" => SvgPicture.Draw(graph),
                    "dot" => DotPicture.Draw(graph),
                    _ => new TextPicture(graph, path == "-" && Terminal.HasColours).Draw(),
                };
            }
            catch (QmpCommandException e)
            {
                throw new ToolException(ExitCode.ServerError, $"{e.ClassName}: {e.Description}");
            }
            catch (Exception e) when (e is QmpTimeoutException or QmpConnectionException or QmpProtocolException or FormatException)
            {
                throw new ToolException(ExitCode.Connection, e.Message);
            }

            using var file = OutputFile.Open(path, replace: true);
            file.Write(picture);
            return ExitCode.Ok;
        });
        return command;
    }

    private static JsonObject Json(BlockGraph graph) => new()
    {
        ["boxes"] = new JsonArray([.. graph.Boxes.Select(Json)]),
        ["edges"] = new JsonArray([.. graph.Edges.Select(Json)]),
    };

    private static JsonNode Json(GraphBox box)
    {
        var item = new JsonObject { ["kind"] = box.Kind.ToString().ToLowerInvariant(), ["name"] = box.Name };
        Add("type", box.Type);
        Add("size", box.SizeBytes);
        Add("file", box.File);
        Add("read-only", box.ReadOnly);
        Add("loop", box.Loop);
        return item;

        void Add(string name, JsonNode? value)
        {
            if (value is not null)
            {
                item[name] = value;
            }
        }
    }

    private static JsonNode Json(GraphEdge edge)
    {
        var item = new JsonObject { ["parent"] = edge.Parent, ["child"] = edge.Child, ["role"] = edge.Role };
        if (edge.Permissions is { } permissions && edge.Shared is { } shared)
        {
            item["permissions"] = new JsonArray([.. permissions.Select(name => (JsonNode)name)]);
            item["shared"] = new JsonArray([.. shared.Select(name => (JsonNode)name)]);
        }

        return item;
    }
}
