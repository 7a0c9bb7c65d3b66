using System.Runtime.CompilerServices;

namespace Qmp.Block.Drivers;

internal sealed partial class FileDriver
{
    /// <summary>The last resort: zeroes as data, through a bounce buffer.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WriteZeroBuffersAsync(BlockOperation operation, long offset)
    {
        var length = operation.Length;
        var flags = operation.EffectiveFlags & BlockFlags.Fua;
        var bounce = BounceBuffer.Rent();
        try
        {
            bounce.Zero(0, Math.Min(length, BounceBuffer.Size));
            for (var done = 0L; done < length;)
            {
                var part = Math.Min(length - done, BounceBuffer.Size);
                var result = await ChildOperation.RunAligned(
                    Node, BlockOp.Write, flags, offset + done, part, bounce.Part(0, part)).ConfigureAwait(false);
                if (result < 0)
                {
                    return result;
                }

                done += part;
            }

            return 0;
        }
        finally
        {
            bounce.Return();
        }
    }
}
