using System.Text;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Graph;

/// <summary>The graph as lines of text: each user with a tree of what it uses below it.</summary>
internal sealed class TextPicture(BlockGraph graph, bool colours)
{
    private readonly ILookup<int, GraphEdge> _children = graph.Edges.ToLookup(edge => edge.Parent);
    private readonly HashSet<int> _drawn = [];
    private readonly StringBuilder _text = new();

    public string Draw()
    {
        var used = graph.Edges.Select(edge => edge.Child).ToHashSet();
        foreach (var root in Enumerable.Range(0, graph.Boxes.Count).Where(box => !used.Contains(box)).OrderBy(box => graph.Boxes[box].Kind == GraphBoxKind.Node))
        {
            Tree(root);
        }

        // Only a server that errs has circles; show them all the same.
        for (var box = 0; box < graph.Boxes.Count; box++)
        {
            if (!_drawn.Contains(box))
            {
                Tree(box);
            }
        }

        return _text.ToString();
    }

    // With a stack of its own: a chain may be as deep as it likes.
    private void Tree(int root)
    {
        var pending = new Stack<(int Box, GraphEdge? Edge, string Indent, bool IsLast)>();
        pending.Push((root, null, "", true));
        while (pending.TryPop(out var line))
        {
            var isNew = _drawn.Add(line.Box);
            _text.Append(line.Indent);
            if (line.Edge is { } edge)
            {
                _text.Append(line.IsLast ? "└── " : "├── ").Append(Style(Terminal.Clean(edge.Role), "36"));
                _text.Append(edge.Permissions is null ? "" : Style($" ({GraphWords.Permissions(edge.Permissions)}; shares {GraphWords.Permissions(edge.Shared)})", "2")).Append(" → ");
            }

            Box(line.Box, isNew);
            if (!isNew)
            {
                continue;
            }

            var indent = line.Edge is null ? "" : line.Indent + (line.IsLast ? "    " : "│   ");
            var children = _children[line.Box].ToList();
            for (var i = children.Count - 1; i >= 0; i--)
            {
                pending.Push((children[i].Child, children[i], indent, i == children.Count - 1));
            }
        }
    }

    private void Box(int number, bool isNew)
    {
        var box = graph.Boxes[number];
        _text.Append(Style(Terminal.Clean(box.Title), "1"));
        if (!isNew)
        {
            _text.Append(Style(" (above)", "2")).Append('\n');
            return;
        }

        List<string> words = [.. GraphWords.About(box)];
        if (box.Loop is { } loop)
        {
            words.Add("loop " + loop);
        }

        // A format has its file below it.
        if (box.File is { } file && _children[number].All(edge => edge.Role != "file"))
        {
            words.Add(file);
        }

        _text.Append(string.Concat(words.Select(word => "  " + Terminal.Clean(word)))).Append('\n');
    }

    private string Style(string text, string code) => colours ? $"\e[{code}m{text}\e[0m" : text;
}
