using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Block.Drivers;

// Copy me: the smallest driver that holds nothing open. Its parts, in the order in which they are called: options at
// open, length, the loop it lives on, requests, close.

/// <summary>
/// <c>null-co</c> and <c>null-aio</c>: takes writes and forgets them. The first completes at once, inside
/// <see cref="BlockBackend.Submit"/>; the second, and both with a latency, later, from the loop.
/// </summary>
internal sealed unsafe class NullDriver(bool isAsynchronous) : BlockDriver
{
    private const long DefaultSize = 1L << 30;

    private long _size;
    private long _latencyNs;
    private bool _readsZeroes;

    // Requests that wait for their time. The latency is the same for all, so the first in is the first out.
    private BlockOperation? _first;
    private BlockOperation? _last;
    private AioTimer? _timer;
    private BottomHalf? _bottomHalf;

    public override string FormatName => isAsynchronous ? "null-aio" : "null-co";

    protected internal override string? ExactFileName
        => Branch is { Size: null, ReadZeroes: null } ? $"{FormatName}://" : null;

    private BlockdevOptionsNull? Branch => isAsynchronous ? Options.NullAio : Options.NullCo;

    protected internal override ValueTask OpenAsync(BlockOpenContext context)
    {
        var options = Require(Branch);
        _size = options.Size ?? DefaultSize;
        _readsZeroes = options.ReadZeroes ?? false;
        if (_size < 0)
        {
            throw new QmpException("Parameter 'size' expects a non-negative size");
        }

        if (options.LatencyNs > long.MaxValue)
        {
            throw new QmpException("latency-ns is invalid");
        }

        _latencyNs = (long)(options.LatencyNs ?? 0);
        return default;
    }

    protected internal override ValueTask<long> GetLengthAsync() => new(_size);

    protected internal override ValueTask<long> GetAllocatedBytesAsync() => new(0L);

    protected internal override void AttachContext(AioContext context)
    {
        _timer = context.NewTimer(CompleteDue);
        _bottomHalf = context.NewBottomHalf(CompleteDue);
    }

    protected internal override void DetachContext()
    {
        _timer?.Dispose();
        _bottomHalf?.Dispose();
    }

    protected internal override void Submit(BlockOperation operation, long offset)
    {
        if (operation.EffectiveOp == BlockOp.Read && _readsZeroes)
        {
            new BlockBuffer(operation.Segments, operation.SegmentCount).Zero(0, operation.Length);
        }

        if (!isAsynchronous && _latencyNs == 0)
        {
            operation.Complete(0);
            return;
        }

        Enqueue(operation);
    }

    protected internal override ValueTask<BlockStatus> GetStatusAsync(long offset, long length)
        => new(new BlockStatus(
            length,
            BlockStatusFlags.OffsetValid | BlockStatusFlags.Allocated | (_readsZeroes ? BlockStatusFlags.Zero : BlockStatusFlags.None),
            Node,
            offset));

    protected internal override void AddStrongOptions(IDictionary<string, object> options)
    {
        if (Branch?.Size is { } size)
        {
            options.Add("size", size);
        }

        if (Branch?.ReadZeroes is { } readZeroes)
        {
            options.Add("read-zeroes", readZeroes);
        }
    }

    private void Enqueue(BlockOperation operation)
    {
        // The offset in the leaf is of no use here: the field holds the time at which the request is due.
        operation.LeafOffset = Home.NowNs + _latencyNs;
        operation.NextHeld = null;
        var wasEmpty = _first is null;
        if (wasEmpty)
        {
            _first = operation;
        }
        else
        {
            _last!.NextHeld = operation;
        }

        _last = operation;
        if (wasEmpty)
        {
            Rearm();
        }
    }

    private void Rearm()
    {
        if (_latencyNs == 0)
        {
            _bottomHalf!.Schedule();
        }
        else
        {
            _timer!.Arm(_first!.LeafOffset);
        }
    }

    private void CompleteDue()
    {
        var nowNs = Home.NowNs;
        while (_first is { } operation && operation.LeafOffset <= nowNs)
        {
            _first = operation.NextHeld;
            operation.NextHeld = null;
            operation.Complete(0);
        }

        if (_first is not null)
        {
            Rearm();
        }
    }
}
