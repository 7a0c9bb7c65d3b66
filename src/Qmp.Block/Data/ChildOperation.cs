using System.Threading.Tasks.Sources;

namespace Qmp.Block;

/// <summary>
/// An operation that a driver awaits: the part of a request that it sends to a child. Taken from a pool of the loop's
/// thread and put back when the result is read.
/// </summary>
internal sealed unsafe class ChildOperation : BlockOperation, IValueTaskSource<int>
{
    private const int PoolMax = 1024;

    [ThreadStatic]
    private static Stack<ChildOperation>? _pool;

    private ManualResetValueTaskSourceCore<int> _source;

    /// <summary><b>Loop</b>. Starts an operation on a node, bounds not checked: the parent knows its child's size.</summary>
    public static ValueTask<int> Run(BlockNode node, BlockOp op, BlockFlags flags, long offset, long length, BlockBuffer buffer)
    {
        var operation = Rent(op, flags, offset, length, buffer);
        BlockNode.Start(operation, node, offset);
        return new ValueTask<int>(operation, operation._source.Version);
    }

    /// <summary><b>Loop</b>. As <see cref="Run"/>, straight to the driver: the caller has aligned it.</summary>
    public static ValueTask<int> RunAligned(BlockNode node, BlockOp op, BlockFlags flags, long offset, long length, BlockBuffer buffer)
    {
        var operation = Rent(op, flags, offset, length, buffer);
        node.Driver.Submit(operation, offset);
        return new ValueTask<int>(operation, operation._source.Version);
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        var result = _source.GetResult(token);
        _source.Reset();
        var pool = _pool ??= new Stack<ChildOperation>();
        if (pool.Count < PoolMax)
        {
            pool.Push(this);
        }

        return result;
    }

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _source.OnCompleted(continuation, state, token, flags);

    internal override void Finish(int result) => _source.SetResult(result);

    private static ChildOperation Rent(BlockOp op, BlockFlags flags, long offset, long length, BlockBuffer buffer)
    {
        var pool = _pool ??= new Stack<ChildOperation>();
        if (!pool.TryPop(out var operation))
        {
            operation = new ChildOperation();
        }

        operation.Op = operation.EffectiveOp = op;
        operation.Flags = operation.EffectiveFlags = flags;
        operation.Offset = offset;
        operation.Length = length;
        operation.Segments = buffer.Segments;
        operation.SegmentCount = buffer.Count;
        return operation;
    }
}
