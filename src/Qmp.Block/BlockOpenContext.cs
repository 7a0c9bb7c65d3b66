using Qmp.Protocol.Schema;

namespace Qmp.Block;

/// <summary>What a driver sees while its node is being opened. Main.</summary>
public sealed class BlockOpenContext
{
    private readonly BlockGraph _graph;

    internal BlockOpenContext(BlockGraph graph, BlockNode node)
    {
        _graph = graph;
        Node = node;
    }

    /// <summary>The node in the making.</summary>
    public BlockNode Node { get; }

    /// <summary>Its options.</summary>
    public BlockdevOptions Options => Node.Options;

    /// <summary>Where blocking calls may run from (<see cref="Aio.AioContext.RunOnWorkerAsync{T}(Func{T})"/>).</summary>
    public Aio.AioContext MainContext => _graph.MainContext;

    /// <summary>
    /// Opens a definition, or finds a reference, and makes it a child of the node. Throws
    /// <see cref="Protocol.QmpException"/>.
    /// </summary>
    public ValueTask<BlockNode> OpenChildAsync(string name, BlockdevRef reference, BlockChildRole role)
        => _graph.OpenChildAsync(Node, name, reference, role);
}

/// <summary>What a driver sees while other options are tried on its node. Main.</summary>
public sealed class BlockReopenContext
{
    private readonly Dictionary<string, BlockNode> _newChildren;

    internal BlockReopenContext(
        BlockNode node,
        BlockdevOptions options,
        bool readOnly,
        bool direct,
        BlockPermissions permissions,
        BlockPermissions shared,
        Dictionary<string, BlockNode> newChildren)
    {
        _newChildren = newChildren;
        Node = node;
        Options = options;
        ReadOnly = readOnly;
        Direct = direct;
        Permissions = permissions;
        Shared = shared;
    }

    /// <summary>The node.</summary>
    public BlockNode Node { get; }

    /// <summary>The options to come.</summary>
    public BlockdevOptions Options { get; }

    /// <summary>Whether the node will be read-only.</summary>
    public bool ReadOnly { get; }

    /// <summary>Whether it will go past the page cache.</summary>
    public bool Direct { get; }

    /// <summary>What its users need.</summary>
    public BlockPermissions Permissions { get; }

    /// <summary>What they share.</summary>
    public BlockPermissions Shared { get; }

    /// <summary>The child of that name as it will be.</summary>
    public BlockNode ChildAfter(string name)
        => _newChildren.GetValueOrDefault(name) ?? Node.ChildEdges.First(edge => edge.Name == name).Node;
}
