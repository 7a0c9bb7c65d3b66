using System.Globalization;
using System.Text;
using System.Xml;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Graph;

/// <summary>The graph as an SVG image that needs no other file. The frame of a box has the colour of its loop.</summary>
internal static class SvgPicture
{
    private const int MaxBoxes = 1000;
    private const double Margin = 24;
    private const double Padding = 12;
    private const double LineHeight = 17;
    private const double NameSize = 14;
    private const double TextSize = 12;
    private const double LabelSize = 11;
    private const int MaxTextLength = 60;

    /// <exception cref="FormatException">It is too large.</exception>
    public static string Draw(BlockGraph graph)
    {
        if (graph.Boxes.Count > MaxBoxes)
        {
            throw new FormatException($"the graph has {graph.Boxes.Count} boxes; an image has at most {MaxBoxes}");
        }

        List<List<string>> lines = [.. graph.Boxes.Select((box, i) => LinesOf(graph, box, i))];
        List<LayoutItem> boxes =
        [
            .. lines.Select(text => new LayoutItem(
                Math.Max(70, Math.Max(WidthOf(text[0], NameSize), text.Skip(1).Select(line => WidthOf(line, TextSize)).DefaultIfEmpty(0).Max()) + 2 * Padding),
                text.Count * LineHeight + Padding)),
        ];
        List<string[]> labels =
        [
            .. graph.Edges.Select(edge => edge.Permissions is null ? new[] { Text(edge.Role) } : [Text(edge.Role), Text(GraphWords.Permissions(edge.Permissions))]),
        ];
        var layout = new GraphLayout(boxes,
        [
            .. graph.Edges.Select((edge, i) => (edge.Parent, edge.Child, new LayoutItem(
                labels[i].Max(line => WidthOf(line, LabelSize)) + 8, labels[i].Length * 14 + 4))),
        ]);

        var output = new StringBuilder();
        using (var xml = XmlWriter.Create(output, new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true, NewLineChars = "\n" }))
        {
            var legend = graph.Loops.Count > 0 ? 30 : 0;
            double width = Math.Max(layout.Width, LegendWidth(graph)) + 2 * Margin, height = layout.Height + 2 * Margin + legend;
            xml.WriteStartElement("svg", "http://www.w3.org/2000/svg");
            Attributes(xml, ("width", N(width)), ("height", N(height)), ("viewBox", $"0 0 {N(width)} {N(height)}"), ("font-family", "DejaVu Sans, Verdana, sans-serif"));
            xml.WriteElementString("title", "Block graph");
            xml.WriteStartElement("defs");
            xml.WriteStartElement("marker");
            Attributes(xml, ("id", "tip"), ("viewBox", "0 0 8 8"), ("refX", "7"), ("refY", "4"), ("markerWidth", "8"), ("markerHeight", "8"), ("orient", "auto"));
            Element(xml, "path", ("d", "M0 0.5 L8 4 L0 7.5 z"), ("fill", "#444444"));
            xml.WriteEndElement();
            xml.WriteEndElement();
            Element(xml, "rect", ("width", "100%"), ("height", "100%"), ("fill", "#ffffff"));
            xml.WriteStartElement("g");
            Attributes(xml, ("transform", $"translate({N((width - layout.Width) / 2)} {N(Margin)})"));
            for (var i = 0; i < graph.Edges.Count; i++)
            {
                Edge(xml, graph.Edges[i], layout.Paths[i], labels[i]);
            }

            for (var i = 0; i < graph.Boxes.Count; i++)
            {
                Box(xml, graph, graph.Boxes[i], boxes[i], lines[i]);
            }

            xml.WriteEndElement();
            Legend(xml, graph, height - Margin);
            xml.WriteEndElement();
        }

        return output.Append('\n').ToString();
    }

    private static List<string> LinesOf(BlockGraph graph, GraphBox box, int number)
    {
        List<string> lines = [Text(box.Title)];
        if (string.Join("  ·  ", GraphWords.About(box)) is { Length: > 0 } about)
        {
            lines.Add(Text(about));
        }

        if (box.File is { } file && graph.Edges.All(edge => edge.Parent != number || edge.Role != "file"))
        {
            lines.Add(Text(file, keepEnd: true));
        }

        if (box.Loop is { } loop)
        {
            lines.Add(Text("loop " + loop));
        }

        return lines;
    }

    private static void Edge(XmlWriter xml, GraphEdge edge, IReadOnlyList<LayoutItem> path, string[] label)
    {
        var data = new StringBuilder();
        for (var i = 1; i < path.Count; i++)
        {
            LayoutItem from = path[i - 1], to = path[i];
            double fromY = from.Y + from.Height, toY = i == path.Count - 1 ? to.Y - 1 : to.Y, middle = (fromY + toY) / 2;
            data.Append(i == 1 ? $"M{N(from.X)} {N(fromY)}" : $" L{N(from.X)} {N(fromY)}");
            data.Append($" C{N(from.X)} {N(middle)} {N(to.X)} {N(middle)} {N(to.X)} {N(toY)}");
        }

        xml.WriteStartElement("g");
        xml.WriteElementString("title", edge.Shared is null ? Text(edge.Role) : Text($"{edge.Role}: {GraphWords.Permissions(edge.Permissions)}; shares {GraphWords.Permissions(edge.Shared)}"));
        Element(xml, "path", ("d", data.ToString()), ("fill", "none"), ("stroke", "#444444"), ("stroke-width", "1.2"), ("marker-end", "url(#tip)"));
        if (path.Count > 2)
        {
            var place = path[1];
            Element(xml, "rect", ("x", N(place.X - place.Width / 2)), ("y", N(place.Y)), ("width", N(place.Width)), ("height", N(place.Height)), ("fill", "#ffffff"));
            for (var i = 0; i < label.Length; i++)
            {
                Word(xml, label[i], place.X, place.Y + 12 + 14 * i, LabelSize, i == 0 ? "#222222" : "#666666", bold: i == 0);
            }
        }

        xml.WriteEndElement();
    }

    private static void Box(XmlWriter xml, BlockGraph graph, GraphBox box, LayoutItem place, List<string> lines)
    {
        xml.WriteStartElement("g");
        xml.WriteElementString("title", Text(box.File ?? box.Title, int.MaxValue));
        Element(xml, "rect", ("x", N(place.X - place.Width / 2)), ("y", N(place.Y)), ("width", N(place.Width)), ("height", N(place.Height)),
            ("rx", box.Kind == GraphBoxKind.Node ? "6" : "0"), ("fill", GraphColours.Of(box.Kind)),
            ("stroke", GraphColours.OfLoop(graph, box.Loop)), ("stroke-width", box.Loop is null or "main" ? "1.2" : "2.4"));
        for (var i = 0; i < lines.Count; i++)
        {
            Word(xml, lines[i], place.X, place.Y + Padding / 2 + LineHeight * i + 13, i == 0 ? NameSize : TextSize, i == 0 ? "#000000" : "#333333", bold: i == 0);
        }

        xml.WriteEndElement();
    }

    private static void Legend(XmlWriter xml, BlockGraph graph, double y)
    {
        var x = Margin;
        foreach (var loop in graph.Loops)
        {
            Element(xml, "rect", ("x", N(x)), ("y", N(y - 10)), ("width", "12"), ("height", "12"), ("fill", "#ffffff"),
                ("stroke", GraphColours.OfLoop(graph, loop)), ("stroke-width", "2.4"));
            xml.WriteStartElement("text");
            Attributes(xml, ("x", N(x + 18)), ("y", N(y)), ("font-size", N(TextSize)), ("fill", "#333333"));
            xml.WriteString(Text("loop " + loop));
            xml.WriteEndElement();
            x += 18 + WidthOf("loop " + loop, TextSize) + 20;
        }
    }

    private static double LegendWidth(BlockGraph graph) => graph.Loops.Sum(loop => 38 + WidthOf("loop " + loop, TextSize));

    private static void Word(XmlWriter xml, string text, double x, double y, double size, string colour, bool bold)
    {
        xml.WriteStartElement("text");
        Attributes(xml, ("x", N(x)), ("y", N(y)), ("text-anchor", "middle"), ("font-size", N(size)), ("fill", colour));
        if (bold)
        {
            xml.WriteAttributeString("font-weight", "bold");
        }

        xml.WriteString(text);
        xml.WriteEndElement();
    }

    private static void Element(XmlWriter xml, string name, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        xml.WriteStartElement(name);
        Attributes(xml, attributes);
        xml.WriteEndElement();
    }

    private static void Attributes(XmlWriter xml, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        foreach (var (name, value) in attributes)
        {
            xml.WriteAttributeString(name, value);
        }
    }

    private static string N(double number) => number.ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>Text that XML takes, and that fits.</summary>
    private static string Text(string text, int length = MaxTextLength, bool keepEnd = false)
    {
        var clean = string.Concat(Terminal.Clean(text).EnumerateRunes().Select(rune => rune.Value is 0xFFFE or 0xFFFF ? "\uFFFD" : rune.ToString()));
        return clean.Length <= length ? clean : keepEnd ? "…" + clean[^(length - 1)..] : clean[..(length - 1)] + "…";
    }

    private static string Text(string text, bool keepEnd) => Text(text, MaxTextLength, keepEnd);

    // Fonts differ; this is a little more than the widest that is usual.
    private static double WidthOf(string text, double size) =>
        text.EnumerateRunes().Sum(rune => rune.Value >= 0x1100 ? 1.1 : char.IsUpper((char)Math.Min(rune.Value, 0xFFFF)) ? 0.75 : 0.64) * size;
}
