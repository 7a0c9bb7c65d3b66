using Qmp.Protocol;

namespace Qmp.Block;

// Who may do what with which node.
public sealed partial class BlockGraph
{
    /// <summary>What the users of a node need and share, together.</summary>
    internal static (BlockPermissions Permissions, BlockPermissions Shared) UsersOf(BlockNode node)
    {
        var permissions = BlockPermissions.None;
        var shared = BlockPermissions.All;
        foreach (var edge in node.ParentEdges)
        {
            permissions |= edge.Permissions;
            shared &= edge.Shared;
        }

        return (permissions, shared);
    }

    /// <summary>
    /// Works out what the nodes from <paramref name="tops"/> downward need of each other, checks it, and takes the
    /// outside locks that go with it. On failure everything is as it was, but for what the caller changed before.
    /// </summary>
    /// <param name="tops">Nodes whose users or rules changed.</param>
    /// <param name="reopening">Nodes that are about to become read-only or writable, for the wording.</param>
    internal async ValueTask RefreshPermissionsAsync(IReadOnlyList<BlockNode> tops, IReadOnlySet<BlockNode>? reopening = null)
    {
        var order = ParentsFirst(tops);
        Dictionary<BlockEdge, (BlockPermissions, BlockPermissions)> before = [];
        List<BlockNode> prepared = [];
        try
        {
            foreach (var node in order)
            {
                Derive(node, before, reopening);
            }

            foreach (var node in order)
            {
                var (permissions, shared) = UsersOf(node);
                await node.Driver.PreparePermissionsAsync(permissions, node.ForceShare ? BlockPermissions.All : shared);
                prepared.Add(node);
            }
        }
        catch
        {
            foreach (var (edge, (permissions, shared)) in before)
            {
                edge.Permissions = permissions;
                edge.Shared = shared;
            }

            await SettleAsync(prepared);
            throw;
        }

        await SettleAsync(prepared);
    }

    private static async ValueTask SettleAsync(List<BlockNode> nodes)
    {
        foreach (var node in nodes)
        {
            var (permissions, shared) = UsersOf(node);
            await node.Driver.SettlePermissionsAsync(permissions, node.ForceShare ? BlockPermissions.All : shared);
        }
    }

    private static void Derive(
        BlockNode node,
        Dictionary<BlockEdge, (BlockPermissions, BlockPermissions)> before,
        IReadOnlySet<BlockNode>? reopening)
    {
        CheckConflicts(node);
        var (permissions, shared) = UsersOf(node);
        CheckNode(node, permissions, reopening);
        foreach (var edge in node.ChildEdges)
        {
            var needed = permissions;
            var allowed = shared;
            node.Driver.GetChildPermissions(edge.Name, edge.Role, ref needed, ref allowed);
            before.TryAdd(edge, (edge.Permissions, edge.Shared));
            edge.Permissions = needed;
            edge.Shared = node.ForceShare ? BlockPermissions.All : allowed;
        }
    }

    private static void CheckNode(BlockNode node, BlockPermissions permissions, IReadOnlySet<BlockNode>? reopening)
    {
        if (node.ReadOnly && (permissions & (BlockPermissions.Write | BlockPermissions.WriteUnchanged)) != 0)
        {
            throw new QmpException(reopening?.Contains(node) == true
                ? $"Read-only block node '{node.NodeName}' cannot support read-write users"
                : "Block node is read-only");
        }

        var changes = permissions & (BlockPermissions.Write | BlockPermissions.WriteUnchanged | BlockPermissions.Resize);
        if (!node.Active && changes != 0)
        {
            throw new QmpException($"Permission '{changes.Describe()}' unavailable on inactive node");
        }
    }

    private static void CheckConflicts(BlockNode node)
    {
        // The newest user first: QEMU names that one, where several are in the way.
        BlockEdge[] users = [.. node.ParentEdges.AsEnumerable().Reverse()];
        foreach (var a in users)
        {
            foreach (var b in users)
            {
                if (a != b && (b.Permissions & ~a.Shared) is var refused and not BlockPermissions.None)
                {
                    throw new QmpException(
                        $"Permission conflict on node '{node.NodeName}': permissions '{refused.Describe()}' are both required by "
                        + $"{b.UserDescription} (uses node '{node.NodeName}' as '{b.Name}' child) and unshared by "
                        + $"{a.UserDescription} (uses node '{node.NodeName}' as '{a.Name}' child).");
                }
            }
        }
    }

    private static List<BlockNode> ParentsFirst(IReadOnlyList<BlockNode> tops)
    {
        List<BlockNode> order = [];
        HashSet<BlockNode> seen = [];
        foreach (var top in tops)
        {
            Visit(top);
        }

        order.Reverse();
        return order;

        void Visit(BlockNode node)
        {
            if (seen.Add(node))
            {
                foreach (var edge in node.ChildEdges)
                {
                    Visit(edge.Node);
                }

                order.Add(node);
            }
        }
    }
}
