using System.Text;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Graph;

/// <summary>The graph for Graphviz.</summary>
internal static class DotPicture
{
    public static string Draw(BlockGraph graph)
    {
        var text = new StringBuilder("digraph blocks {\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n");
        for (var i = 0; i < graph.Boxes.Count; i++)
        {
            var box = graph.Boxes[i];
            string[] lines =
            [
                box.Title,
                .. GraphWords.About(box),
                .. box.File is { } file && graph.Edges.All(edge => edge.Parent != i || edge.Role != "file") ? [file] : Array.Empty<string>(),
                .. box.Loop is { } loop ? ["loop " + loop] : Array.Empty<string>(),
            ];
            text.Append($"  b{i} [label={Quote(lines)}, fillcolor=\"{GraphColours.Of(box.Kind)}\"{(box.Kind == GraphBoxKind.Node ? "" : ", style=filled")}];\n");
        }

        foreach (var edge in graph.Edges)
        {
            string[] lines = edge.Permissions is null ? [edge.Role] : [edge.Role, GraphWords.Permissions(edge.Permissions)];
            var shared = edge.Shared is null ? "" : $", tooltip={Quote("shares " + GraphWords.Permissions(edge.Shared))}";
            text.Append($"  b{edge.Parent} -> b{edge.Child} [label={Quote(lines)}{shared}];\n");
        }

        return text.Append("}\n").ToString();
    }

    private static string Quote(params string[] lines) =>
        "\"" + string.Join("\\n", lines.Select(line => Terminal.Clean(line).Replace("\\", "\\\\").Replace("\"", "\\\""))) + "\"";
}
