using System.Runtime.CompilerServices;
using Qmp.Protocol.Schema;

namespace Qmp.Block;

// What a node may do with a write besides passing it on.
public sealed partial class BlockNode
{
    /// <summary>A write into a node with dirty bitmaps, or one that looks for zeroes.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> SlowWriteAsync(BlockOperation operation, long offset)
    {
        var op = operation.EffectiveOp;
        var flags = operation.EffectiveFlags;
        var length = operation.Length;
        var buffer = BufferOf(operation);
        if (op == BlockOp.Write && DetectZeroes != BlockdevDetectZeroesOptions.Off && buffer.IsZero())
        {
            op = BlockOp.WriteZeroes;
            if (DetectZeroes == BlockdevDetectZeroesOptions.Unmap && DiscardUnmap)
            {
                flags |= BlockFlags.MayUnmap;
            }
        }

        var result = await ChildOperation.RunInside(this, op, flags, offset, length, buffer).ConfigureAwait(false);

        // After the write, whether it failed or not: what a failed write left behind is unknown, and a bitmap cleared
        // while the write was on its way must name it again.
        foreach (var bitmap in _bitmaps)
        {
            bitmap.OnWrite(offset, length);
        }

        return result;
    }
}
