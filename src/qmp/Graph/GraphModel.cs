namespace Qmp.Tool.Graph;

/// <summary>What a box of the picture stands for.</summary>
internal enum GraphBoxKind
{
    /// <summary>A block node.</summary>
    Node,

    /// <summary>An export.</summary>
    Export,

    /// <summary>A block job.</summary>
    Job,

    /// <summary>Another user of nodes: a device, or something without a name.</summary>
    User,
}

/// <summary>A node, or one who uses nodes. What the server does not tell is null.</summary>
internal sealed record GraphBox(GraphBoxKind Kind, string Name)
{
    /// <summary>Driver of a node, type of an export.</summary>
    public string? Type { get; init; }

    public long? SizeBytes { get; init; }

    public string? File { get; init; }

    public bool? ReadOnly { get; init; }

    /// <summary>The iothread that runs it, or <c>main</c>.</summary>
    public string? Loop { get; init; }

    /// <summary>The name, or what it is for one without.</summary>
    public string Title => Name.Length > 0 ? Name : "(a user)";
}

/// <summary>An edge from a user to what it uses; boxes are numbers in <see cref="BlockGraph.Boxes"/>.</summary>
internal sealed record GraphEdge(int Parent, int Child, string Role)
{
    /// <summary>What the parent may do; null where it is not known whose permissions are whose.</summary>
    public IReadOnlyList<string>? Permissions { get; init; }

    /// <summary>What it lets others do.</summary>
    public IReadOnlyList<string>? Shared { get; init; }
}

/// <summary>The block graph of a server at one moment.</summary>
/// <param name="Boxes">Users first, in the order in which the server made them.</param>
/// <param name="Edges">The edges of one parent in its own order.</param>
internal sealed record BlockGraph(IReadOnlyList<GraphBox> Boxes, IReadOnlyList<GraphEdge> Edges)
{
    /// <summary>The loops that run something, by name.</summary>
    public IReadOnlyList<string> Loops { get; } = [.. Boxes.Select(box => box.Loop).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
}
