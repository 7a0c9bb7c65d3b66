using Qmp.Protocol;

namespace Qmp.Block;

// Changing the length of a node.
public sealed partial class BlockGraph
{
    /// <summary>Longest node in bytes: the largest multiple of 1 GiB that a signed 64-bit number holds.</summary>
    public const long LengthMax = long.MaxValue & ~((1L << 30) - 1);

    /// <summary>
    /// Grows or shrinks a node, drained, in the loop that owns it; its users are told.
    /// </summary>
    /// <exception cref="QmpException">It cannot be; nothing changed.</exception>
    public async ValueTask ResizeAsync(BlockNode node, long size)
    {
        using var change = await BeginChangeAsync();
        await ResizeAsync(change, node, size);
    }

    /// <summary>As the other overload, inside a change.</summary>
    public async ValueTask ResizeAsync(GraphChange change, BlockNode node, long size)
    {
        if (size < 0)
        {
            throw new QmpException("Parameter 'size' expects a >0 size");
        }

        foreach (var bitmap in node.Bitmaps)
        {
            bitmap.CheckLength(size);
        }

        var section = await DrainAsync(change, [node]);
        try
        {
            var backend = await BlockBackend.CreateAsync(
                change, node, "resize", BlockPermissions.Resize, BlockPermissions.All, null);
            try
            {
                await ResizeDrainedAsync(node, size);
            }
            finally
            {
                await MainContext.Enter();
                await backend.CloseAsync(change);
            }
        }
        finally
        {
            await section.EndAsync(change);
        }
    }

    /// <summary>What drivers call for their child: the part below permissions and drained sections.</summary>
    internal static async ValueTask ResizeOwnAsync(BlockNode node, long size)
    {
        if (size > LengthMax)
        {
            throw new QmpException($"offset({size}) exceeds maximum({LengthMax})");
        }

        if (node.ReadOnly)
        {
            throw new QmpException("Image is read-only");
        }

        await node.Home.Enter();
        await node.Driver.ResizeAsync(size);
        await node.Graph.MainContext.Enter();
    }

    private async ValueTask ResizeDrainedAsync(BlockNode node, long size)
    {
        try
        {
            await ResizeOwnAsync(node, size);
        }
        finally
        {
            // Also after a failure: something below may have changed before it.
            await MainContext.Enter();
            await RefreshLengthsAsync(node);
        }
    }

    /// <summary>Asks the node, what is below and what is above for their lengths, and tells the users of those that changed.</summary>
    private async ValueTask RefreshLengthsAsync(BlockNode node)
    {
        var nodes = node.Subtree();
        nodes.Reverse();
        Stack<BlockNode> above = new([node]);
        while (above.TryPop(out var next))
        {
            if (!nodes.Contains(next))
            {
                nodes.Add(next);
            }

            foreach (var edge in next.ParentEdges)
            {
                if (edge.Parent is not null)
                {
                    above.Push(edge.Parent);
                }
            }
        }

        foreach (var member in nodes)
        {
            var length = RoundLength(await member.Driver.GetLengthAsync());
            if (length == member.LengthBytes)
            {
                continue;
            }

            await member.Home.Enter();
            member.LengthBytes = length;
            member.TruncateBitmaps(length);
            foreach (var edge in member.ParentEdges)
            {
                edge.Backend?.OnResized(length);
            }

            await MainContext.Enter();
        }
    }
}
