using System.Globalization;
using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Block;

/// <summary>
/// All block nodes of a process. Everything here is <b>Main</b>; changes happen one at a time (each method waits its
/// turn), and with everything drained that they touch. Members that take a <see cref="GraphChange"/> are for code that
/// makes several changes as one: it holds the turn.
/// </summary>
public sealed partial class BlockGraph
{
    /// <summary>Longest node name in bytes.</summary>
    public const int NodeNameMax = 31;

    private readonly AsyncGate _gate = new();
    private readonly List<BlockNode> _nodes = [];
    private readonly Dictionary<string, BlockNode> _byName = new(StringComparer.Ordinal);
    private readonly List<BlockBackend> _backends = [];
    private static readonly System.Buffers.SearchValues<char> NameCharacters = System.Buffers.SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");

    private int _generatedNames;

    /// <summary>Makes an empty graph whose control code runs on <paramref name="mainContext"/>.</summary>
    public BlockGraph(AioContext mainContext) => MainContext = mainContext;

    /// <summary>The main loop.</summary>
    public AioContext MainContext { get; }

    /// <summary>The nodes, in the order in which they were made.</summary>
    public IReadOnlyList<BlockNode> Nodes => _nodes;

    /// <summary>The users of nodes that are not nodes, in the order in which they were made.</summary>
    public IReadOnlyList<BlockBackend> Backends => _backends;

    /// <summary>
    /// Told of the first write beyond a node's threshold, on the node's loop, before the write: the node, the bytes by
    /// which it goes beyond, and the threshold. Must not block or throw. <b>Main</b>, before there are nodes.
    /// </summary>
    public Action<BlockNode, ulong, ulong>? WriteThresholdExceeded { get; set; }

    /// <summary>File names that stand for descriptors; null: all are paths. <b>Main</b>, before there are nodes.</summary>
    public IPassedFiles? PassedFiles { get; set; }

    /// <summary>Waits for the right to change the graph. Not from code that holds it.</summary>
    public async ValueTask<GraphChange> BeginChangeAsync(CancellationToken cancellationToken = default)
    {
        MainContext.AssertCurrent();
        await _gate.EnterAsync(cancellationToken);
        return new GraphChange(this, _gate);
    }

    /// <summary>The node of that name, or null.</summary>
    public BlockNode? TryFind(string? nodeName) => nodeName is null ? null : _byName.GetValueOrDefault(nodeName);

    /// <summary>The node of that name.</summary>
    /// <exception cref="QmpException">There is none.</exception>
    public BlockNode Find(string nodeName)
        => TryFind(nodeName) ?? throw new QmpException($"Failed to find node with node-name='{nodeName}'");

    /// <summary>The node that <c>device</c> or <c>node-name</c> of a command means; there are no devices here.</summary>
    /// <exception cref="QmpException">Neither names one.</exception>
    public BlockNode Lookup(string? device, string? nodeName)
        => TryFind(nodeName)
            ?? throw new QmpException($"Cannot find device='{device}' nor node-name='{nodeName}'");

    /// <summary>Opens a node for the user (<c>blockdev-add</c>).</summary>
    /// <exception cref="QmpException">It cannot be; nothing remains.</exception>
    public async ValueTask<BlockNode> OpenAsync(BlockdevOptions options)
    {
        using var change = await BeginChangeAsync();
        return await OpenAsync(change, options);
    }

    /// <summary>As the other overload, inside a change.</summary>
    public async ValueTask<BlockNode> OpenAsync(GraphChange change, BlockdevOptions options)
    {
        _ = change;
        if (options.NodeName is null)
        {
            throw new QmpException("'node-name' must be specified for the root node");
        }

        var node = await OpenNodeAsync(options, null);
        node.MonitorOwned = true;
        return node;
    }

    /// <summary>Closes a node of the user (<c>blockdev-del</c>), with the children that nobody else uses.</summary>
    /// <exception cref="QmpException">It is in use, or not the user's.</exception>
    public async ValueTask DeleteAsync(string nodeName)
    {
        using var change = await BeginChangeAsync();
        await DeleteAsync(change, nodeName);
    }

    /// <summary>As the other overload, inside a change.</summary>
    public async ValueTask DeleteAsync(GraphChange change, string nodeName)
    {
        _ = change;
        var node = Find(nodeName);
        if (node.ParentEdges.Exists(static edge => edge.Backend is not null))
        {
            throw new QmpException($"Node {nodeName} is in use");
        }

        if (!node.MonitorOwned)
        {
            throw new QmpException($"Node {nodeName} is not owned by the monitor");
        }

        if (node.ParentEdges.Count != 0)
        {
            throw new QmpException($"Block device {nodeName} is in use");
        }

        node.MonitorOwned = false;
        await CloseUnusedAsync(node);
    }

    /// <summary>
    /// Closes everything, when the process ends: users first. Backends whose owners have not closed them are closed.
    /// </summary>
    public async ValueTask CloseAllAsync()
    {
        using var change = await BeginChangeAsync();
        foreach (var backend in _backends.ToArray())
        {
            await backend.CloseAsync(change);
        }

        foreach (var node in _nodes.ToArray())
        {
            node.MonitorOwned = false;
            await CloseUnusedAsync(node);
        }
    }

    internal async ValueTask<BlockNode> OpenChildAsync(BlockNode parent, string name, BlockdevRef reference, BlockChildRole role)
    {
        BlockNode child;
        if (reference.Definition is { } definition)
        {
            child = await OpenNodeAsync(definition, parent);
        }
        else
        {
            child = Lookup(reference.Reference, reference.Reference);
        }

        if (!child.Active && parent.Active)
        {
            throw new QmpException($"Inactive '{child.NodeName}' can't be a {name} child of active '{parent.NodeName}'");
        }

        Connect(parent, name, child, role);
        if (!HasName(parent))
        {
            AssignName(parent, parent.Options.NodeName);
        }

        return child;
    }

    /// <summary>Observes a change that nobody waits for; such changes do not fail.</summary>
    internal void Forget(ValueTask change)
    {
        if (!change.IsCompletedSuccessfully)
        {
            _ = change.AsTask();
        }
    }

    private static BlockEdge Connect(BlockNode parent, string name, BlockNode child, BlockChildRole role)
    {
        BlockEdge edge = new(parent, null, name, role, child) { Permissions = BlockPermissions.None };
        parent.ChildEdges.Add(edge);
        child.ParentEdges.Add(edge);

        // A tree has one home; the new parent has no users yet, so it is the one that goes.
        parent.Home = child.Home;
        return edge;
    }

    private async ValueTask<BlockNode> OpenNodeAsync(BlockdevOptions options, BlockNode? parent)
    {
        var driver = BlockDrivers.Create(options.Driver);
        BlockNode node = new(this, options.NodeName ?? string.Empty, driver, options, MainContext);
        NodeSettings.Of(options, parent is null ? null : NodeSettings.Of(parent)).ApplyTo(node);
        await OpenNodeAsync(node);
        return node;
    }

    private async ValueTask OpenNodeAsync(BlockNode node)
    {
        var driver = node.Driver;
        var isOpen = false;
        try
        {
            if (!driver.IsFormat)
            {
                AssignName(node, node.Options.NodeName);
            }

            // A format gets its name when its file is open, before it looks into it: names made up count in that order,
            // and a name that is taken is found before anything that is wrong with the image.
            await driver.OpenAsync(new BlockOpenContext(this, node));
            isOpen = true;
            await RefreshPermissionsAsync([node]);
            node.LengthBytes = CheckLength(await driver.GetLengthAsync());
        }
        catch
        {
            await RemoveNodeAsync(node, isOpen);
            throw;
        }

        node.RefreshDataPath();
        await node.Home.Enter();
        driver.AttachContext(node.Home);
        await MainContext.Enter();
    }

    /// <summary>For tests: opens a node with a driver that has no name in the schema.</summary>
    internal async ValueTask<BlockNode> OpenAsync(BlockDriver driver, string nodeName)
    {
        using var change = await BeginChangeAsync();
        BlockNode node = new(this, nodeName, driver, new BlockdevOptions { Driver = default, NodeName = nodeName }, MainContext);
        await OpenNodeAsync(node);
        node.MonitorOwned = true;
        return node;
    }

    /// <summary>Lengths are in whole sectors; the end of a last partial one reads as zeroes.</summary>
    private static long RoundLength(long length) => (length + 511) & ~511L;

    private static long CheckLength(long length)
        => length <= LengthMax ? RoundLength(length) : throw new QmpException("Could not refresh total sector count: File too large");

    private bool HasName(BlockNode node) => _byName.GetValueOrDefault(node.NodeName) == node;

    private void AssignName(BlockNode node, string? name)
    {
        if (name is null)
        {
            name = string.Create(
                CultureInfo.InvariantCulture,
                $"#block{_generatedNames++}{Random.Shared.Next(100):00}");
        }
        else if (!IsWellFormed(name))
        {
            throw new QmpException($"Invalid node-name: '{name}'");
        }
        else if (_byName.ContainsKey(name))
        {
            throw new QmpException($"Duplicate nodes with node-name='{name}'");
        }
        else if (name.Length > NodeNameMax)
        {
            throw new QmpException("Node name too long");
        }

        node.NodeName = name;
        _byName.Add(name, node);
        _nodes.Add(node);
    }

    private static bool IsWellFormed(string name)
        => name.Length != 0
            && char.IsAsciiLetter(name[0])
            && name.AsSpan().IndexOfAnyExcept(NameCharacters) < 0;

    /// <summary>Closes a node that nobody holds any more, and what it alone held.</summary>
    private async ValueTask CloseUnusedAsync(BlockNode node)
    {
        if (!node.MonitorOwned && node.ParentEdges.Count == 0 && _byName.GetValueOrDefault(node.NodeName) == node)
        {
            await node.Home.Enter();
            node.Driver.DetachContext();
            await MainContext.Enter();
            await RemoveNodeAsync(node, isOpen: true);
        }
    }

    private async ValueTask RemoveNodeAsync(BlockNode node, bool isOpen)
    {
        if (isOpen)
        {
            await node.Driver.CloseAsync();
        }

        foreach (var section in _sections)
        {
            section.Forget(node);
        }

        if (_byName.GetValueOrDefault(node.NodeName) == node)
        {
            _byName.Remove(node.NodeName);
            _nodes.Remove(node);
        }

        foreach (var edge in node.ChildEdges.ToArray())
        {
            node.ChildEdges.Remove(edge);
            edge.Node.ParentEdges.Remove(edge);
            await RefreshPermissionsAsync([edge.Node]);
            await CloseUnusedAsync(edge.Node);
        }
    }
}
