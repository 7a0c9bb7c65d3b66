using Qmp.Protocol.Schema;

namespace Qmp.Block;

// What a node may do with a write besides passing it on.
public sealed partial class BlockNode
{
    /// <summary>A write into a node with dirty bitmaps or a threshold, or one that looks for zeroes.</summary>
    private void StartHooked(BlockOperation operation, long offset)
    {
        CheckWriteThreshold(operation, offset);
        var op = operation.EffectiveOp;
        var flags = operation.EffectiveFlags;
        if (op == BlockOp.Write && DetectZeroes != BlockdevDetectZeroesOptions.Off && BufferOf(operation).IsZero())
        {
            op = BlockOp.WriteZeroes;
            if (DetectZeroes == BlockdevDetectZeroesOptions.Unmap && DiscardUnmap)
            {
                flags |= BlockFlags.MayUnmap;
            }
        }

        if (_bitmaps.Length == 0)
        {
            operation.EffectiveOp = op;
            operation.EffectiveFlags = flags;
            StartInside(operation, this, offset);
            return;
        }

        StartInside(RecordedWrite.Rent(this, operation, op, flags, offset), this, offset);
    }

    private void Record(long offset, long length)
    {
        foreach (var bitmap in _bitmaps)
        {
            bitmap.OnWrite(offset, length);
        }
    }

    /// <summary>
    /// The part of a write below a node with bitmaps. They are told after it, whether it failed or not: what a failed
    /// write left behind is unknown, and a bitmap cleared while the write was on its way must name it again.
    /// </summary>
    private sealed unsafe class RecordedWrite : BlockOperation
    {
        private const int PoolMax = 1024;

        [ThreadStatic]
        private static Stack<RecordedWrite>? _pool;

        private BlockNode? _node;
        private BlockOperation? _parent;

        public static RecordedWrite Rent(BlockNode node, BlockOperation parent, BlockOp op, BlockFlags flags, long offset)
        {
            if (!(_pool ??= new Stack<RecordedWrite>()).TryPop(out var operation))
            {
                operation = new RecordedWrite();
            }

            operation._node = node;
            operation._parent = parent;
            operation.Op = operation.EffectiveOp = op;
            operation.Flags = operation.EffectiveFlags = flags;
            operation.Offset = offset;
            operation.Length = parent.Length;
            operation.Segments = parent.Segments;
            operation.SegmentCount = parent.SegmentCount;
            return operation;
        }

        internal override void Finish(int result)
        {
            var parent = _parent!;
            _node!.Record(Offset, Length);
            _node = null;
            _parent = null;
            if (_pool!.Count < PoolMax)
            {
                _pool.Push(this);
            }

            parent.Complete(result);
        }
    }
}
