using Qmp.Aio;

namespace Qmp.Block;

/// <summary>
/// While it lasts, nothing is in flight on its nodes and what feeds them holds back. Sections nest and overlap: a
/// feeder starts again when the last one that covers it ends. Feeders that come join, feeders that go leave no trace.
/// </summary>
public sealed class DrainedSection : IAsyncDisposable
{
    private readonly BlockGraph _graph;
    private readonly HashSet<BlockNode>? _targets;
    private readonly List<BlockBackend> _backends = [];
    private readonly List<BlockNode> _nodes = [];
    private bool _isOver;

    internal DrainedSection(BlockGraph graph, IEnumerable<BlockNode>? targets)
    {
        _graph = graph;
        _targets = targets?.ToHashSet();
    }

    /// <summary>The nodes it was asked to hold, or null for all. <b>Main</b>.</summary>
    public IReadOnlyCollection<BlockNode>? Targets => _targets;

    /// <summary>Whether it has ended. <b>Main</b>.</summary>
    public bool IsOver => _isOver;

    /// <summary><b>Main</b>. Ends it; what was held runs. Twice is once.</summary>
    public async ValueTask EndAsync()
    {
        if (!_isOver)
        {
            using var change = await _graph.BeginChangeAsync();
            await EndAsync(change);
        }
    }

    /// <summary><b>Main</b>. As the other overload, for code that holds the right to change the graph.</summary>
    public async ValueTask EndAsync(GraphChange change)
    {
        _ = change;
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        _graph.RemoveSection(this);
        await Task.WhenAll(ByLoop().Select(EndOnLoopAsync));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => EndAsync();

    internal bool Covers(BlockNode root)
        => _targets is null || root.Subtree().Exists(_targets.Contains);

    /// <summary>Stops the feeders of its nodes, loop by loop at the same time. Does not wait for what is in flight.</summary>
    internal async ValueTask<Task> BeginAsync()
    {
        foreach (var backend in _graph.Backends)
        {
            if (Covers(backend.Root))
            {
                _backends.Add(backend);
            }
        }

        HashSet<BlockNode> nodes = [];
        foreach (var backend in _backends)
        {
            nodes.UnionWith(backend.Root.Subtree());
        }

        foreach (var target in _targets ?? [.. _graph.Nodes])
        {
            nodes.UnionWith(target.Subtree());
        }

        _nodes.AddRange(nodes);
        var idle = await Task.WhenAll(ByLoop().Select(BeginOnLoopAsync));
        return Task.WhenAll(idle);
    }

    /// <summary>A new feeder over its nodes starts drained.</summary>
    internal async ValueTask AdoptAsync(BlockBackend backend)
    {
        _backends.Add(backend);
        await backend.Home.Enter();
        backend.BeginDrain();
        await _graph.MainContext.Enter();
    }

    /// <summary>The feeder is gone.</summary>
    internal void Forget(BlockBackend backend) => _backends.Remove(backend);

    /// <summary>The node is gone.</summary>
    internal void Forget(BlockNode node)
    {
        _nodes.Remove(node);
        _targets?.Remove(node);
    }

    private Dictionary<AioContext, (List<BlockBackend> Backends, List<BlockNode> Nodes)> ByLoop()
    {
        Dictionary<AioContext, (List<BlockBackend> Backends, List<BlockNode> Nodes)> loops = [];
        foreach (var backend in _backends)
        {
            Of(backend.Home).Backends.Add(backend);
        }

        foreach (var node in _nodes)
        {
            Of(node.Home).Nodes.Add(node);
        }

        return loops;

        (List<BlockBackend> Backends, List<BlockNode> Nodes) Of(AioContext loop)
        {
            if (!loops.TryGetValue(loop, out var lists))
            {
                loops.Add(loop, lists = ([], []));
            }

            return lists;
        }
    }

    private async Task<Task> BeginOnLoopAsync(KeyValuePair<AioContext, (List<BlockBackend> Backends, List<BlockNode> Nodes)> loop)
    {
        await loop.Key.Enter();
        List<Task> idle = [];
        foreach (var backend in loop.Value.Backends)
        {
            backend.BeginDrain();
            idle.Add(backend.WhenIdle());
        }

        foreach (var node in loop.Value.Nodes)
        {
            if (node.DrainCount++ == 0)
            {
                node.Driver.DrainBegin();
            }
        }

        await _graph.MainContext.Enter();
        return Task.WhenAll(idle);
    }

    private async Task EndOnLoopAsync(KeyValuePair<AioContext, (List<BlockBackend> Backends, List<BlockNode> Nodes)> loop)
    {
        await loop.Key.Enter();
        foreach (var node in loop.Value.Nodes)
        {
            if (--node.DrainCount == 0)
            {
                node.Driver.DrainEnd();
            }
        }

        foreach (var backend in loop.Value.Backends)
        {
            backend.EndDrain();
        }

        await _graph.MainContext.Enter();
    }
}
