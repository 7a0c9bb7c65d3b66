using System.Runtime.CompilerServices;

namespace Qmp.Block;

// Requests that do not fit the driver's alignment: padded, read around, copied through a bounce buffer. Rare.
public sealed partial class BlockNode
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadUnalignedAsync(BlockOperation operation, long offset)
    {
        var target = BufferOf(operation);
        var length = operation.Length;
        var bounce = BounceBuffer.Rent();
        try
        {
            for (var done = 0L; done < length;)
            {
                var start = AlignDown(offset + done);
                var skip = offset + done - start;
                var part = Math.Min(length - done, BounceBuffer.Size - skip);
                var size = AlignUp(skip + part);
                var result = await ChildOperation.RunAligned(
                    this, BlockOp.Read, operation.EffectiveFlags, start, size, bounce.Part(0, size)).ConfigureAwait(false);
                if (result < 0)
                {
                    return result;
                }

                bounce.CopyTo(target, done, skip, part);
                done += part;
            }

            return 0;
        }
        finally
        {
            bounce.Return();
        }
    }

    private ValueTask<int> WriteUnalignedAsync(BlockOperation operation, long offset)
        => PaddedAsync(offset, operation.Length, BufferOf(operation), operation.EffectiveFlags, isZero: false);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WriteZeroesUnalignedAsync(BlockOperation operation, long offset)
    {
        var end = offset + operation.Length;
        var flags = operation.EffectiveFlags;
        var middleStart = AlignUp(offset);
        var middleEnd = AlignDown(end);
        if (middleEnd <= middleStart)
        {
            return await PaddedAsync(offset, operation.Length, default, flags, isZero: true).ConfigureAwait(false);
        }

        if (offset < middleStart)
        {
            var result = await PaddedAsync(offset, middleStart - offset, default, flags, isZero: true).ConfigureAwait(false);
            if (result < 0)
            {
                return result;
            }
        }

        await _tracker.BeginSerialisingAsync(middleStart, middleEnd).ConfigureAwait(false);
        int middle;
        try
        {
            middle = await ChildOperation.RunAligned(
                this, BlockOp.WriteZeroes, flags, middleStart, middleEnd - middleStart, default).ConfigureAwait(false);
        }
        finally
        {
            _tracker.EndSerialising(middleStart, middleEnd);
        }

        return middle < 0 || middleEnd == end
            ? middle
            : await PaddedAsync(middleEnd, end - middleEnd, default, flags, isZero: true).ConfigureAwait(false);
    }

    /// <summary>Only whole units can be discarded; the rest is left as it is.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> DiscardUnalignedAsync(BlockOperation operation, long offset)
    {
        var start = AlignUp(offset);
        var end = AlignDown(offset + operation.Length);
        if (end <= start)
        {
            return 0;
        }

        await _tracker.BeginSerialisingAsync(start, end).ConfigureAwait(false);
        try
        {
            return await ChildOperation.RunAligned(this, BlockOp.Discard, operation.EffectiveFlags, start, end - start, default).ConfigureAwait(false);
        }
        finally
        {
            _tracker.EndSerialising(start, end);
        }
    }

    /// <summary>Read, modify, write: serialised against every write that overlaps the padded range.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> PaddedAsync(long offset, long length, BlockBuffer source, BlockFlags flags, bool isZero)
    {
        var rangeStart = AlignDown(offset);
        var rangeEnd = AlignUp(offset + length);
        await _tracker.BeginSerialisingAsync(rangeStart, rangeEnd).ConfigureAwait(false);
        var bounce = BounceBuffer.Rent();
        try
        {
            for (var done = 0L; done < length;)
            {
                var start = AlignDown(offset + done);
                var skip = offset + done - start;
                var part = Math.Min(length - done, BounceBuffer.Size - skip);
                var size = AlignUp(skip + part);
                if (skip != 0 || size != skip + part)
                {
                    var read = await ChildOperation.RunAligned(
                        this, BlockOp.Read, BlockFlags.None, start, size, bounce.Part(0, size)).ConfigureAwait(false);
                    if (read < 0)
                    {
                        return read;
                    }
                }

                if (isZero)
                {
                    bounce.Zero(skip, part);
                }
                else
                {
                    bounce.CopyFrom(source, done, skip, part);
                }

                var result = await ChildOperation.RunAligned(
                    this, BlockOp.Write, flags & BlockFlags.Fua, start, size, bounce.Part(0, size)).ConfigureAwait(false);
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
            _tracker.EndSerialising(rangeStart, rangeEnd);
        }
    }

    private long AlignDown(long value) => value & ~(long)(_requestAlignment - 1);

    private long AlignUp(long value) => (value + _requestAlignment - 1) & ~(long)(_requestAlignment - 1);
}
