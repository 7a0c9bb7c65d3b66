namespace Qmp.Tool.Graph;

/// <summary>Something that takes room in the picture: a box, a label of an edge, or a place where an edge passes.</summary>
internal sealed class LayoutItem(double width, double height)
{
    public double Width { get; } = width;

    public double Height { get; } = height;

    public int Layer { get; set; }

    /// <summary>Middle from the left, in pixels.</summary>
    public double X { get; set; }

    /// <summary>Top, in pixels.</summary>
    public double Y { get; set; }

    /// <summary>Place in its layer.</summary>
    public int Order { get; set; }

    public List<LayoutItem> Above { get; } = [];

    public List<LayoutItem> Below { get; } = [];
}
