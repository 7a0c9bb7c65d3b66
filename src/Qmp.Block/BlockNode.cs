using Qmp.Aio;
using Qmp.Protocol.Schema;

namespace Qmp.Block;

/// <summary>
/// A node of the graph: a driver with its options, children and users. All I/O on it happens on its home loop; its
/// place in the graph is changed on the main loop, with the node drained, so that the I/O path reads it without locks.
/// </summary>
public sealed partial class BlockNode
{
    private BlockDriver _driver;
    private BlockDriverPath _path;
    private BlockNode _linearChild = null!;
    private long _linearOffset;
    private bool _hasHooks;
    private int _requestAlignment = 1;
    private int _memoryAlignment = 1;
    private readonly WriteTracker _tracker = new();

    internal BlockNode(BlockGraph graph, string nodeName, BlockDriver driver, BlockdevOptions options, AioContext home)
    {
        Graph = graph;
        NodeName = nodeName;
        _driver = driver;
        driver.Node = this;
        Options = options;
        Home = home;
    }

    /// <summary>Its graph.</summary>
    public BlockGraph Graph { get; }

    /// <summary>Its name; begins with <c>#</c> if it was generated. <b>Any</b>.</summary>
    public string NodeName { get; internal set; }

    /// <summary>Its driver. <b>Main</b>, or <b>Loop</b>.</summary>
    public BlockDriver Driver => _driver;

    /// <summary>The options that it was opened with, defaults filled in from its parent. <b>Main</b>.</summary>
    public BlockdevOptions Options { get; internal set; }

    /// <summary>The loop that it lives on. Changes on the main loop while the node is drained.</summary>
    public AioContext Home { get; internal set; }

    /// <summary>Length in bytes, a multiple of 512. <b>Any</b>.</summary>
    public long LengthBytes { get; internal set; }

    /// <summary>Whether it cannot be written. <b>Any</b>.</summary>
    public bool ReadOnly { get; internal set; }

    /// <summary>Whether an image that cannot be written is opened read-only. <b>Main</b>.</summary>
    public bool AutoReadOnly { get; internal set; }

    /// <summary>Whether it may be used; an inactive one belongs to another process for now. <b>Main</b>.</summary>
    public bool Active { get; internal set; } = true;

    /// <summary>Whether the user made it (<c>blockdev-add</c>), rather than a parent. <b>Main</b>.</summary>
    public bool MonitorOwned { get; internal set; }

    /// <summary>Whether the host's page cache is passed by. <b>Main</b>.</summary>
    public bool CacheDirect { get; internal set; }

    /// <summary>Whether flushes are ignored. <b>Main</b> to change.</summary>
    public bool CacheNoFlush { get; internal set; }

    /// <summary>Whether others may do to the image what they like. <b>Main</b>.</summary>
    public bool ForceShare { get; internal set; }

    /// <summary>Whether discards are passed on. <b>Main</b> to change.</summary>
    public bool DiscardUnmap { get; internal set; }

    /// <summary>What becomes of writes full of zeroes. <b>Main</b> to change.</summary>
    public BlockdevDetectZeroesOptions DetectZeroes { get; internal set; }

    /// <summary>Limits of its requests. <b>Any</b>.</summary>
    public BlockLimits Limits => _driver.Limits;

    /// <summary>Its children, in the order in which they were attached. <b>Main</b>, or <b>Loop</b>.</summary>
    public IReadOnlyList<BlockEdge> Children => ChildEdges;

    /// <summary>Its users. <b>Main</b>.</summary>
    public IReadOnlyList<BlockEdge> Parents => ParentEdges;

    /// <summary>A plain file name, or <c>json:{...}</c>. <b>Main</b>.</summary>
    public string FileName => BlockFileName.Of(this);

    /// <summary>End of the furthest write in bytes. <b>Any</b>.</summary>
    public long WriteHighestOffset { get; internal set; }

    internal List<BlockEdge> ChildEdges { get; } = [];

    internal List<BlockEdge> ParentEdges { get; } = [];

    /// <summary>Sections that hold this node, counted on its loop.</summary>
    internal int DrainCount { get; set; }

    /// <summary>Bytes that the image takes on its medium, or a negative error number. <b>Main</b>.</summary>
    public ValueTask<long> GetAllocatedBytesAsync() => _driver.GetAllocatedBytesAsync();

    /// <summary>
    /// <b>Main</b>, drained or not yet in use. Works out how requests pass through; after every change of what it
    /// depends on.
    /// </summary>
    internal void RefreshDataPath()
    {
        _path = _driver.Path;
        if (_path == BlockDriverPath.Linear)
        {
            _linearChild = ChildEdges[0].Node;
            _linearOffset = _driver.LinearOffset;
        }

        var limits = _driver.Limits;
        _requestAlignment = limits.RequestAlignment;
        _memoryAlignment = _requestAlignment > 1 ? limits.MinMemoryAlignment : 1;
        RefreshHooks();
    }

    /// <summary>All nodes below, and this one; parents before children.</summary>
    internal List<BlockNode> Subtree()
    {
        List<BlockNode> nodes = [];
        HashSet<BlockNode> seen = [];
        Visit(this);
        nodes.Reverse();
        return nodes;

        void Visit(BlockNode node)
        {
            if (seen.Add(node))
            {
                foreach (var edge in node.ChildEdges)
                {
                    Visit(edge.Node);
                }

                nodes.Add(node);
            }
        }
    }
}
