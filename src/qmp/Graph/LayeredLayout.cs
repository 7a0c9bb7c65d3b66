namespace Qmp.Tool.Graph;

/// <summary>
/// Places boxes that hang together in layers so that edges lead down, cross seldom and are short: layers by the longest way, order by the
/// middle of the neighbours, positions by least squares. Labels of edges are items of the layers between boxes, so that
/// nothing covers anything.
/// </summary>
internal sealed class LayeredLayout
{
    /// <summary>Room between neighbours.</summary>
    public const double Gap = 28;

    private const int Sweeps = 24;
    private const double LayerGap = 26;

    private readonly List<LayoutItem> _boxes;
    private readonly List<List<LayoutItem>> _layers = [];

    /// <param name="boxes">The boxes.</param>
    /// <param name="edges">The edges between them, with the item that is their label.</param>
    public LayeredLayout(IReadOnlyList<LayoutItem> boxes, IReadOnlyList<(int Parent, int Child, LayoutItem Label)> edges)
    {
        _boxes = [.. boxes];
        Layers(edges);
        Paths = [.. edges.Select(Connect)];
        Order();
        Place();
    }

    /// <summary>Of each edge the items that it goes through, the boxes at its ends included.</summary>
    public IReadOnlyList<IReadOnlyList<LayoutItem>> Paths { get; }

    public IEnumerable<LayoutItem> Items => _layers.SelectMany(layer => layer);

    public double Width { get; private set; }

    public double Height { get; private set; }

    private void Layers(IReadOnlyList<(int Parent, int Child, LayoutItem Label)> edges)
    {
        var incoming = new int[_boxes.Count];
        var children = edges.ToLookup(edge => edge.Parent, edge => edge.Child);
        foreach (var (_, child, _) in edges)
        {
            incoming[child]++;
        }

        var isRoot = incoming.Select(count => count == 0).ToArray();
        var ready = new Queue<int>(Enumerable.Range(0, _boxes.Count).Where(box => incoming[box] == 0));
        while (ready.TryDequeue(out var box))
        {
            foreach (var child in children[box])
            {
                _boxes[child].Layer = Math.Max(_boxes[child].Layer, _boxes[box].Layer + 2);
                if (--incoming[child] == 0)
                {
                    ready.Enqueue(child);
                }
            }
        }

        // Users stand right above what they use.
        for (var box = 0; box < _boxes.Count; box++)
        {
            if (isRoot[box] && children[box].Any())
            {
                _boxes[box].Layer = Math.Max(0, children[box].Min(child => _boxes[child].Layer) - 2);
            }
        }

        foreach (var box in _boxes)
        {
            Put(box, box.Layer);
        }
    }

    private void Put(LayoutItem item, int layer)
    {
        while (_layers.Count <= layer)
        {
            _layers.Add([]);
        }

        item.Layer = layer;
        item.Order = _layers[layer].Count;
        _layers[layer].Add(item);
    }

    private IReadOnlyList<LayoutItem> Connect((int Parent, int Child, LayoutItem Label) edge)
    {
        var path = new List<LayoutItem> { _boxes[edge.Parent] };
        var last = _boxes[edge.Child];
        for (var layer = path[0].Layer + 1; layer < last.Layer; layer++)
        {
            // The label stands at the upper end.
            var item = layer == path[0].Layer + 1 ? edge.Label : new LayoutItem(4, 0);
            Put(item, layer);
            path.Add(item);
        }

        path.Add(last);
        for (var i = 1; i < path.Count; i++)
        {
            path[i - 1].Below.Add(path[i]);
            path[i].Above.Add(path[i - 1]);
        }

        return path;
    }

    private void Order()
    {
        var best = Crossings();
        var kept = _layers.Select(layer => layer.ToArray()).ToArray();
        for (var sweep = 0; sweep < Sweeps && best > 0; sweep++)
        {
            var down = sweep % 2 == 0;
            foreach (var layer in down ? _layers : _layers.AsEnumerable().Reverse())
            {
                var sorted = layer.OrderBy(item =>
                {
                    var neighbours = down ? item.Above : item.Below;
                    return neighbours.Count == 0 ? item.Order : neighbours.Average(neighbour => (double)neighbour.Order);
                }).ToList();
                Reorder(layer, sorted);
            }

            if (Crossings() is var crossings && crossings < best)
            {
                best = crossings;
                kept = [.. _layers.Select(layer => layer.ToArray())];
            }
        }

        for (var i = 0; i < kept.Length; i++)
        {
            Reorder(_layers[i], kept[i]);
        }
    }

    private static void Reorder(List<LayoutItem> layer, IReadOnlyList<LayoutItem> order)
    {
        for (var i = 0; i < order.Count; i++)
        {
            layer[i] = order[i];
            layer[i].Order = i;
        }
    }

    private long Crossings()
    {
        long crossings = 0;
        foreach (var layer in _layers)
        {
            var ends = layer.SelectMany(item => item.Below.Select(below => below.Order).Order()).ToList();
            for (var i = 0; i < ends.Count; i++)
            {
                for (var j = i + 1; j < ends.Count; j++)
                {
                    crossings += ends[j] < ends[i] ? 1 : 0;
                }
            }
        }

        return crossings;
    }

    private void Place()
    {
        foreach (var layer in _layers)
        {
            var x = 0.0;
            foreach (var item in layer)
            {
                item.X = x + item.Width / 2;
                x += item.Width + Gap;
            }
        }

        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            var down = sweep % 2 == 0;
            foreach (var layer in down ? _layers : _layers.AsEnumerable().Reverse())
            {
                Align(layer, item => (down ? item.Above : item.Below) is { Count: > 0 } side ? side
                    : down ? item.Below : item.Above);
            }
        }

        foreach (var layer in _layers)
        {
            Align(layer, item => item.Above.Concat(item.Below).ToList());
        }

        var left = _layers.Count == 0 ? 0 : _layers.SelectMany(layer => layer).Min(item => item.X - item.Width / 2);
        var y = 0.0;
        foreach (var layer in _layers)
        {
            var height = layer.Max(item => item.Height);
            foreach (var item in layer)
            {
                item.X -= left;
                item.Y = y + (height - item.Height) / 2;
                Width = Math.Max(Width, item.X + item.Width / 2);
            }

            y += height + LayerGap;
        }

        Height = Math.Max(0, y - LayerGap);
    }

    /// <summary>
    /// Moves the items of a layer as near as they get to the middle of their neighbours while keeping order and
    /// distances: least squares, found by merging neighbours that push each other into blocks.
    /// </summary>
    private static void Align(List<LayoutItem> layer, Func<LayoutItem, List<LayoutItem>> neighbours)
    {
        var blocks = new List<(double Sum, int Count)>();
        var offsets = new double[layer.Count];
        for (var i = 0; i < layer.Count; i++)
        {
            offsets[i] = i == 0 ? 0 : offsets[i - 1] + (layer[i - 1].Width + layer[i].Width) / 2 + Gap;
            var wanted = neighbours(layer[i]) is { Count: > 0 } near ? near.Average(item => item.X) : layer[i].X;
            var block = (Sum: wanted - offsets[i], Count: 1);
            while (blocks.Count > 0 && blocks[^1].Sum / blocks[^1].Count > block.Sum / block.Count)
            {
                block = (blocks[^1].Sum + block.Sum, blocks[^1].Count + block.Count);
                blocks.RemoveAt(blocks.Count - 1);
            }

            blocks.Add(block);
        }

        var at = 0;
        foreach (var (sum, count) in blocks)
        {
            for (var i = 0; i < count; i++, at++)
            {
                layer[at].X = sum / count + offsets[at];
            }
        }
    }
}
