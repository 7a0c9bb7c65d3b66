using Qmp.Protocol.Schema;

namespace Qmp.Block;

// The offset beyond which the next write is announced, once.
public sealed partial class BlockNode
{
    // Main sets a threshold at any time, without a drain, while the loop may be clearing the one before.
    private readonly Lock _thresholdLock = new();
    private ulong _writeThreshold;

    /// <summary>Offset in bytes beyond which the next write is announced; 0 for none. <b>Any</b>.</summary>
    public ulong WriteThreshold => Volatile.Read(ref _writeThreshold);

    /// <summary>Has the next write beyond an offset announced; 0 for none. <b>Main</b>.</summary>
    /// <param name="threshold">The offset in bytes.</param>
    public void SetWriteThreshold(ulong threshold)
    {
        lock (_thresholdLock)
        {
            Volatile.Write(ref _writeThreshold, threshold);
            RefreshHooks();
        }
    }

    /// <summary>Works out whether writes have more to do than to be passed on. <b>Main</b>, or <b>Loop</b>.</summary>
    private void RefreshHooks()
    {
        lock (_thresholdLock)
        {
            _hasHooks = DetectZeroes != BlockdevDetectZeroesOptions.Off || _bitmaps.Length != 0 || _writeThreshold != 0;
        }
    }

    /// <summary>Announces a write of data or zeroes that ends beyond the threshold, in whole blocks of the driver.</summary>
    private void CheckWriteThreshold(BlockOperation operation, long offset)
    {
        if (WriteThreshold == 0 || operation.EffectiveOp is not (BlockOp.Write or BlockOp.WriteZeroes) || operation.Length == 0)
        {
            return;
        }

        var end = (ulong)((offset + operation.Length + _requestAlignment - 1) & -(long)_requestAlignment);
        ulong threshold;
        lock (_thresholdLock)
        {
            threshold = _writeThreshold;
            if (threshold == 0 || end <= threshold)
            {
                return;
            }

            SetWriteThreshold(0);
        }

        Graph.WriteThresholdExceeded?.Invoke(this, end - threshold, threshold);
    }
}
