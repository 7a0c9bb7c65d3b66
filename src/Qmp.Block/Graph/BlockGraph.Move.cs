using Qmp.Aio;
using Qmp.Protocol;

namespace Qmp.Block;

// A tree and the loop that it lives on.
public sealed partial class BlockGraph
{
    /// <summary>
    /// Moves a node, and everything that is connected with it, to another loop, drained.
    /// </summary>
    /// <param name="node">Any node of the tree.</param>
    /// <param name="target">The loop to live on.</param>
    /// <param name="force">False: refuse if the node itself has a user that is not a node.</param>
    /// <exception cref="QmpException">It is in use, or a user cannot follow.</exception>
    public async ValueTask MoveToContextAsync(BlockNode node, AioContext target, bool force = true)
    {
        using var change = await BeginChangeAsync();
        await MoveToContextAsync(change, node, target, force);
    }

    /// <summary>As the other overload, inside a change.</summary>
    public async ValueTask MoveToContextAsync(GraphChange change, BlockNode node, AioContext target, bool force = true)
    {
        if (!force && node.ParentEdges.Exists(static edge => edge.Backend is not null))
        {
            throw new QmpException(
                $"Node {node.NodeName} is associated with a BlockBackend and could be in use (use force=true to override this check)");
        }

        if (node.Home == target)
        {
            return;
        }

        var nodes = ConnectedWith(node);
        var backends = _backends.Where(backend => nodes.Contains(backend.Root)).ToArray();
        if (backends.Any(static backend => !backend.CanChangeContext))
        {
            throw new QmpException("Cannot change iothread of active block backend");
        }

        var from = node.Home;
        var section = await DrainAsync(change, [.. nodes]);
        await from.Enter();
        foreach (var member in nodes)
        {
            member.Driver.DetachContext();
        }

        await MainContext.Enter();
        foreach (var member in nodes)
        {
            member.Home = target;
        }

        foreach (var backend in backends)
        {
            await backend.MoveAsync(from, target);
            await MainContext.Enter();
            backend.Home = target;
        }

        await target.Enter();
        foreach (var member in nodes)
        {
            member.Driver.AttachContext(target);
        }

        await MainContext.Enter();
        await section.EndAsync(change);
    }

    private static HashSet<BlockNode> ConnectedWith(BlockNode node)
    {
        HashSet<BlockNode> seen = [];
        Stack<BlockNode> open = new([node]);
        while (open.TryPop(out var next))
        {
            if (seen.Add(next))
            {
                foreach (var edge in next.ChildEdges)
                {
                    open.Push(edge.Node);
                }

                foreach (var edge in next.ParentEdges)
                {
                    if (edge.Parent is not null)
                    {
                        open.Push(edge.Parent);
                    }
                }
            }
        }

        return seen;
    }
}
