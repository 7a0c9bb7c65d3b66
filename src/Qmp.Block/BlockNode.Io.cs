using Qmp.Aio;

namespace Qmp.Block;

// The way of a request down the tree. Read Start first: it is the whole of it for most requests.
public sealed unsafe partial class BlockNode
{
    /// <summary>
    /// <b>Loop</b>. Sends an operation into <paramref name="node"/>: follows the nodes that only shift it, and ends at
    /// the driver that serves it, or in the slow path of a node that has more to do than to pass it on.
    /// <c>EffectiveOp</c> and <c>EffectiveFlags</c> are set; bounds were checked at the border.
    /// </summary>
    internal static void Start(BlockOperation operation, BlockNode node, long offset)
    {
        while (true)
        {
            if (operation.EffectiveOp >= BlockOp.Discard)
            {
                if (!node.AdmitUnmap(operation))
                {
                    operation.Complete(0);
                    return;
                }
            }

            if (node._hasHooks && operation.EffectiveOp is not (BlockOp.Read or BlockOp.Flush))
            {
                node.StartHooked(operation, offset);
                return;
            }

            if (node._requestAlignment > 1 && !node.AdmitAligned(operation, offset))
            {
                return;
            }

            switch (node._path)
            {
                case BlockDriverPath.Linear:
                    offset += node._linearOffset;
                    node = node._linearChild;
                    continue;
                case BlockDriverPath.Mapped:
                    if (operation.EffectiveOp != BlockOp.Flush
                        && node._driver.TryMap(operation.EffectiveOp, offset, operation.Length, out var child, out var childOffset))
                    {
                        node = child;
                        offset = childOffset;
                        continue;
                    }

                    break;
                case BlockDriverPath.Leaf:
                default:
                    break;
            }

            node._driver.Submit(operation, offset);
            return;
        }
    }

    /// <summary><b>Loop</b>. Reads, for drivers and their parents; 0 or a negative error number.</summary>
    public ValueTask<int> ReadAsync(long offset, long length, BlockBuffer buffer, BlockFlags flags = BlockFlags.None)
        => ChildOperation.Run(this, BlockOp.Read, flags, offset, length, buffer);

    /// <summary><b>Loop</b>. Writes, for drivers; 0 or a negative error number.</summary>
    public ValueTask<int> WriteAsync(long offset, long length, BlockBuffer buffer, BlockFlags flags = BlockFlags.None)
        => ChildOperation.Run(this, BlockOp.Write, flags, offset, length, buffer);

    /// <summary><b>Loop</b>. Writes zeroes, for drivers; 0 or a negative error number.</summary>
    public ValueTask<int> WriteZeroesAsync(long offset, long length, BlockFlags flags = BlockFlags.None)
        => ChildOperation.Run(this, BlockOp.WriteZeroes, flags, offset, length, default);

    /// <summary><b>Loop</b>. Discards, for drivers; 0 or a negative error number.</summary>
    public ValueTask<int> DiscardAsync(long offset, long length)
        => ChildOperation.Run(this, BlockOp.Discard, BlockFlags.None, offset, length, default);

    /// <summary><b>Loop</b>. Flushes, for drivers; 0 or a negative error number.</summary>
    public ValueTask<int> FlushAsync() => ChildOperation.Run(this, BlockOp.Flush, BlockFlags.None, 0, 0, default);

    /// <summary><b>Loop</b>. What is known of a range; ends with the node.</summary>
    public ValueTask<BlockStatus> GetStatusAsync(long offset, long length)
        => offset < 0 || length < 0
            ? new(new BlockStatus(-Errno.EINVAL, BlockStatusFlags.None, null, 0))
            : offset >= LengthBytes || length == 0
                ? new(new BlockStatus(0, BlockStatusFlags.None, null, 0))
                : _driver.GetStatusAsync(offset, Math.Min(length, LengthBytes - offset));

    /// <summary>A discard stops at a node that ignores discards; zeroes keep their storage there.</summary>
    private bool AdmitUnmap(BlockOperation operation)
    {
        if (DiscardUnmap)
        {
            return true;
        }

        operation.EffectiveFlags &= ~BlockFlags.MayUnmap;
        return operation.EffectiveOp != BlockOp.Discard;
    }

    /// <summary>
    /// The driver wants aligned requests. Those that are go on, tracked if they write, so that a request that must be
    /// padded can wait for them; the others take the slow path. False: taken over.
    /// </summary>
    private bool AdmitAligned(BlockOperation operation, long offset)
    {
        if (operation.EffectiveOp == BlockOp.Flush)
        {
            return true;
        }

        var bits = (offset | operation.Length) & (_requestAlignment - 1);
        if (operation.EffectiveOp == BlockOp.Read)
        {
            if (bits == 0 && new BlockBuffer(operation.Segments, operation.SegmentCount).IsAligned(_memoryAlignment))
            {
                return true;
            }

            operation.CompleteInline(ReadUnalignedAsync(operation, offset));
            return false;
        }

        var isAligned = bits == 0
            && (operation.EffectiveOp != BlockOp.Write
                || new BlockBuffer(operation.Segments, operation.SegmentCount).IsAligned(_memoryAlignment));
        if (isAligned && _tracker.TryAdd(operation, offset, offset + operation.Length))
        {
            return true;
        }

        operation.CompleteInline(operation.EffectiveOp switch
        {
            BlockOp.Write => WriteUnalignedAsync(operation, offset),
            BlockOp.Discard => DiscardUnalignedAsync(operation, offset),
            _ => WriteZeroesUnalignedAsync(operation, offset),
        });
        return false;
    }

    private static BlockBuffer BufferOf(BlockOperation operation) => new(operation.Segments, operation.SegmentCount);

    /// <summary>Continues below the hooks of this node: what <see cref="StartHooked"/> does once it has done its part.</summary>
    internal static void StartInside(BlockOperation operation, BlockNode node, long offset)
    {
        if (node._requestAlignment > 1 && !node.AdmitAligned(operation, offset))
        {
            return;
        }

        if (node._path == BlockDriverPath.Linear)
        {
            Start(operation, node._linearChild, offset + node._linearOffset);
        }
        else if (node._path == BlockDriverPath.Mapped
            && operation.EffectiveOp != BlockOp.Flush
            && node._driver.TryMap(operation.EffectiveOp, offset, operation.Length, out var child, out var childOffset))
        {
            Start(operation, child, childOffset);
        }
        else
        {
            node._driver.Submit(operation, offset);
        }
    }
}
