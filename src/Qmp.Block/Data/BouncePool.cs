using Qmp.Aio;

namespace Qmp.Block;

/// <summary>
/// A buffer of <see cref="Size"/> bytes, aligned to 4096, for requests whose own memory does not suit a device. Taken
/// from and given back to a pool of the loop's thread. At most <see cref="PoolMax"/> idle ones are kept.
/// </summary>
internal sealed unsafe class BounceBuffer
{
    /// <summary>Longer requests go in pieces.</summary>
    public const int Size = 1 << 20;

    private const int PoolMax = 8;

    [ThreadStatic]
    private static Stack<BounceBuffer>? _pool;

    private readonly Iovec* _segment;

    private BounceBuffer()
    {
        // The segment lives behind the data: the kernel reads it while the operation runs.
        Data = NativeBytes.Allocate(Size + sizeof(Iovec));
        _segment = (Iovec*)(Data + Size);
    }

    ~BounceBuffer() => NativeBytes.Free(Data);

    public byte* Data { get; }

    public static BounceBuffer Rent()
        => (_pool ??= new Stack<BounceBuffer>()).TryPop(out var buffer) ? buffer : new BounceBuffer();

    public void Return()
    {
        if (_pool!.Count < PoolMax)
        {
            _pool.Push(this);
        }
    }

    /// <summary>A list of one segment: part of the buffer. One operation at a time.</summary>
    public BlockBuffer Part(long start, long length)
    {
        *_segment = new Iovec(Data + start, (nuint)length);
        return new BlockBuffer(_segment, 1);
    }

    public void Zero(long start, long length) => NativeBytes.Clear(Data + start, length);

    public void CopyTo(BlockBuffer target, long targetStart, long start, long length)
        => target.CopyFrom(targetStart, Data + start, length);

    public void CopyFrom(BlockBuffer source, long sourceStart, long start, long length)
        => source.CopyTo(sourceStart, Data + start, length);
}
