using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Block;

// Other options for nodes that are open.
public sealed partial class BlockGraph
{
    /// <summary>
    /// Gives nodes new options: what is not said goes back to its default. All nodes get theirs, or none.
    /// </summary>
    /// <exception cref="QmpException">An option cannot be changed; everything is as it was.</exception>
    public async ValueTask ReopenAsync(IReadOnlyList<BlockdevOptions> options)
    {
        using var change = await BeginChangeAsync();
        await ReopenAsync(change, options);
    }

    /// <summary>As the other overload, inside a change.</summary>
    public async ValueTask ReopenAsync(GraphChange change, IReadOnlyList<BlockdevOptions> options)
    {
        List<Reopening> plan = [];
        foreach (var item in options)
        {
            var name = item.NodeName ?? throw new QmpException("node-name not specified");
            plan.Add(new Reopening(Find(name), item, null));
        }

        if (plan.Count == 0)
        {
            return;
        }

        var section = await DrainAsync(change, [.. plan.Select(static item => item.Node)]);
        try
        {
            // Children made on the spot follow their parents; they are appended behind them.
            for (var i = 0; i < plan.Count; i++)
            {
                await PlanChildrenAsync(change, plan[i], plan);
            }

            await ReopenDrainedAsync(plan);
        }
        finally
        {
            await section.EndAsync(change);
        }
    }

    private async ValueTask PlanChildrenAsync(GraphChange change, Reopening item, List<Reopening> plan)
    {
        var node = item.Node;
        if (item.Options.Driver != node.Options.Driver)
        {
            node.Driver.RefuseOtherDriver(item.Options);
            throw new QmpException("Cannot change the option 'driver'");
        }

        foreach (var (name, reference) in node.Driver.GetChildReferences(item.Options))
        {
            var edge = node.ChildEdges.Find(candidate => candidate.Name == name);
            if (reference.Definition is { } definition)
            {
                PlanDefinition(item, plan, name, edge, definition);
            }
            else if (reference.Reference != edge?.Node.NodeName)
            {
                item.NewChildren.Add(name, await FindNewChildAsync(change, node, name, reference.Reference!));
            }
        }
    }

    private static void PlanDefinition(Reopening item, List<Reopening> plan, string name, BlockEdge? edge, BlockdevOptions definition)
    {
        var node = item.Node;
        var made = node.Driver.GetChildReferences(node.Options).FirstOrDefault(pair => pair.Name == name).Reference?.Definition;
        if (edge is null || made is null || edge.Node.MonitorOwned)
        {
            throw new QmpException($"Cannot change the option '{name}.driver'");
        }

        if (definition.NodeName is { } nodeName && nodeName != edge.Node.NodeName)
        {
            throw new QmpException("Cannot change the option 'node-name'");
        }

        plan.Add(new Reopening(edge.Node, definition, item));
    }

    private async ValueTask<BlockNode> FindNewChildAsync(GraphChange change, BlockNode parent, string name, string childName)
    {
        var child = Lookup(null, childName);
        if (child.Subtree().Contains(parent))
        {
            throw new QmpException($"Making '{childName}' a {name} child of '{parent.NodeName}' would create a cycle");
        }

        if (!child.Active && parent.Active)
        {
            throw new QmpException($"Inactive '{childName}' can't be a {name} child of active '{parent.NodeName}'");
        }

        if (child.Home != parent.Home)
        {
            await MoveToContextAsync(change, child, parent.Home);
        }

        return child;
    }

    private async ValueTask ReopenDrainedAsync(List<Reopening> plan)
    {
        var prepared = 0;
        try
        {
            foreach (var item in plan)
            {
                await PrepareReopenAsync(item);
                prepared++;
            }

            foreach (var item in plan)
            {
                item.Apply();
            }

            var reopening = plan.Select(static item => item.Node).ToHashSet();
            BlockNode[] tops = [.. plan.SelectMany(static item => item.OldChildren.Append(item.Node)).Distinct()];
            try
            {
                await RefreshPermissionsAsync(tops, reopening);
            }
            catch
            {
                foreach (var item in Enumerable.Reverse(plan))
                {
                    item.Revert();
                }

                throw;
            }
        }
        catch
        {
            for (var i = prepared - 1; i >= 0; i--)
            {
                await plan[i].Node.Driver.AbortReopenAsync(plan[i].Prepared);
            }

            throw;
        }

        foreach (var item in plan)
        {
            await item.Node.Driver.CommitReopenAsync(item.Prepared);
        }

        foreach (var item in plan)
        {
            item.Node.RefreshDataPath();
            await RefreshLengthsAsync(item.Node);
            foreach (var child in item.OldChildren)
            {
                await CloseUnusedAsync(child);
            }
        }
    }

    private static async ValueTask PrepareReopenAsync(Reopening item)
    {
        var node = item.Node;
        item.Settings = NodeSettings.Of(item.Options, item.Parent?.Settings);
        var (permissions, shared) = UsersOf(node);
        item.Prepared = await node.Driver.PrepareReopenAsync(new BlockReopenContext(
            node,
            item.Options,
            item.Settings.ReadOnly,
            item.Settings.CacheDirect,
            permissions,
            node.ForceShare ? BlockPermissions.All : shared,
            item.NewChildren));
    }

    /// <summary>One node on its way to other options.</summary>
    private sealed class Reopening(BlockNode node, BlockdevOptions options, Reopening? parent)
    {
        private BlockdevOptions? _oldOptions;
        private NodeSettings? _oldSettings;
        private BlockEdge[] _oldEdges = [];

        public BlockNode Node { get; } = node;

        public BlockdevOptions Options { get; } = options;

        public Reopening? Parent { get; } = parent;

        public Dictionary<string, BlockNode> NewChildren { get; } = [];

        public List<BlockNode> OldChildren { get; } = [];

        public NodeSettings? Settings { get; set; }

        public object? Prepared { get; set; }

        public void Apply()
        {
            _oldOptions = Node.Options;
            _oldSettings = NodeSettings.Of(Node);
            _oldEdges = [.. Node.ChildEdges];
            Node.Options = Options;
            Settings!.ApplyTo(Node);
            foreach (var (name, child) in NewChildren)
            {
                var index = Node.ChildEdges.FindIndex(edge => edge.Name == name);
                var old = Node.ChildEdges[index];
                BlockEdge edge = new(Node, null, name, old.Role, child) { Permissions = BlockPermissions.None };
                old.Node.ParentEdges.Remove(old);
                OldChildren.Add(old.Node);
                child.ParentEdges.Add(edge);
                Node.ChildEdges[index] = edge;
            }
        }

        public void Revert()
        {
            for (var i = 0; i < _oldEdges.Length; i++)
            {
                if (Node.ChildEdges[i] != _oldEdges[i])
                {
                    Node.ChildEdges[i].Node.ParentEdges.Remove(Node.ChildEdges[i]);
                    _oldEdges[i].Node.ParentEdges.Add(_oldEdges[i]);
                    Node.ChildEdges[i] = _oldEdges[i];
                }
            }

            Node.Options = _oldOptions!;
            _oldSettings!.ApplyTo(Node);
        }
    }
}
