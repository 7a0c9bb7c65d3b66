namespace Qmp.Tool.Graph;

/// <summary>Places boxes and the labels of their edges: what hangs together by itself, side by side.</summary>
internal sealed class GraphLayout
{
    /// <param name="boxes">The boxes.</param>
    /// <param name="edges">The edges between them, with the item that is their label.</param>
    public GraphLayout(IReadOnlyList<LayoutItem> boxes, IReadOnlyList<(int Parent, int Child, LayoutItem Label)> edges)
    {
        var paths = new IReadOnlyList<LayoutItem>[edges.Count];
        foreach (var part in Parts(boxes.Count, edges))
        {
            var numbers = part.Select((box, i) => (box, i)).ToDictionary(pair => pair.box, pair => pair.i);
            List<int> own = [.. Enumerable.Range(0, edges.Count).Where(edge => numbers.ContainsKey(edges[edge].Parent))];
            var layout = new LayeredLayout([.. part.Select(box => boxes[box])],
                [.. own.Select(edge => (numbers[edges[edge].Parent], numbers[edges[edge].Child], edges[edge].Label))]);
            var left = Width == 0 ? 0 : Width + 2 * LayeredLayout.Gap;
            foreach (var item in layout.Items)
            {
                item.X += left;
            }

            for (var i = 0; i < own.Count; i++)
            {
                paths[own[i]] = layout.Paths[i];
            }

            Width = left + layout.Width;
            Height = Math.Max(Height, layout.Height);
        }

        Paths = paths;
    }

    /// <summary>Of each edge the items that it goes through, the boxes at its ends included.</summary>
    public IReadOnlyList<IReadOnlyList<LayoutItem>> Paths { get; }

    public double Width { get; private set; }

    public double Height { get; private set; }

    private static IEnumerable<List<int>> Parts(int count, IReadOnlyList<(int Parent, int Child, LayoutItem Label)> edges)
    {
        var leader = Enumerable.Range(0, count).ToArray();
        foreach (var (parent, child, _) in edges)
        {
            leader[Leader(parent)] = Leader(child);
        }

        return Enumerable.Range(0, count).GroupBy(Leader).Select(part => part.ToList()).ToList();

        int Leader(int box)
        {
            while (leader[box] != box)
            {
                box = leader[box] = leader[leader[box]];
            }

            return box;
        }
    }
}
