namespace Qmp.Block;

/// <summary>What a child is to its parent.</summary>
[Flags]
public enum BlockChildRole
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The parent's data lies in it.</summary>
    Data = 1,

    /// <summary>The parent's metadata lies in it.</summary>
    Metadata = 2,

    /// <summary>The parent passes its content through.</summary>
    Filtered = 4,

    /// <summary>It supplies what the parent does not have (a backing file).</summary>
    CopyOnWrite = 8,

    /// <summary>The child that stands for the image.</summary>
    Primary = 16,
}

/// <summary>A use of a node: by a parent node, or by a <see cref="BlockBackend"/>. Main.</summary>
public sealed class BlockEdge
{
    internal BlockEdge(BlockNode? parent, BlockBackend? backend, string name, BlockChildRole role, BlockNode node)
    {
        Parent = parent;
        Backend = backend;
        Name = name;
        Role = role;
        Node = node;
    }

    /// <summary>The node that uses <see cref="Node"/>, or null.</summary>
    public BlockNode? Parent { get; }

    /// <summary>The backend that uses <see cref="Node"/>, or null.</summary>
    public BlockBackend? Backend { get; }

    /// <summary>As what: <c>file</c>, <c>backing</c>, <c>root</c>.</summary>
    public string Name { get; }

    /// <summary>The child's part.</summary>
    public BlockChildRole Role { get; }

    /// <summary>What is used.</summary>
    public BlockNode Node { get; internal set; }

    /// <summary>What the user does.</summary>
    public BlockPermissions Permissions { get; internal set; }

    /// <summary>What it lets others do.</summary>
    public BlockPermissions Shared { get; internal set; } = BlockPermissions.All;

    /// <summary>The user in error messages.</summary>
    internal string UserDescription => Parent is not null ? $"node '{Parent.NodeName}'" : "an unnamed block device";
}
