using System.Threading.Tasks.Sources;
using Qmp.Aio;

namespace Qmp.Block;

// Requests to await, for code off the data path: jobs, commands, tests.
public sealed partial class BlockBackend
{
    /// <summary><b>Loop</b>. Reads into native or pinned memory; 0 or a negative error number.</summary>
    public unsafe ValueTask<int> ReadAsync(long offset, byte* memory, long length, BlockFlags flags = BlockFlags.None)
        => Run(BlockOp.Read, offset, memory, length, flags);

    /// <summary><b>Loop</b>. Writes from native or pinned memory; 0 or a negative error number.</summary>
    public unsafe ValueTask<int> WriteAsync(long offset, byte* memory, long length, BlockFlags flags = BlockFlags.None)
        => Run(BlockOp.Write, offset, memory, length, flags);

    /// <summary><b>Loop</b>. Reads into an array, which is pinned meanwhile.</summary>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> memory, BlockFlags flags = BlockFlags.None)
    {
        using var pin = memory.Pin();
        return await RunPinned(BlockOp.Read, offset, pin, memory.Length, flags);
    }

    /// <summary><b>Loop</b>. Writes from an array, which is pinned meanwhile.</summary>
    public async ValueTask<int> WriteAsync(long offset, ReadOnlyMemory<byte> memory, BlockFlags flags = BlockFlags.None)
    {
        using var pin = memory.Pin();
        return await RunPinned(BlockOp.Write, offset, pin, memory.Length, flags);
    }

    /// <summary><b>Loop</b>. Makes what completed durable.</summary>
    public unsafe ValueTask<int> FlushAsync() => Run(BlockOp.Flush, 0, null, 0, BlockFlags.None);

    /// <summary><b>Loop</b>. Discards a range.</summary>
    public unsafe ValueTask<int> DiscardAsync(long offset, long length) => Run(BlockOp.Discard, offset, null, length, BlockFlags.None);

    /// <summary><b>Loop</b>. Makes a range read as zeroes.</summary>
    public unsafe ValueTask<int> WriteZeroesAsync(long offset, long length, BlockFlags flags = BlockFlags.None)
        => Run(BlockOp.WriteZeroes, offset, null, length, flags);

    private unsafe ValueTask<int> RunPinned(BlockOp op, long offset, System.Buffers.MemoryHandle pin, long length, BlockFlags flags)
        => Run(op, offset, (byte*)pin.Pointer, length, flags);

    private unsafe ValueTask<int> Run(BlockOp op, long offset, byte* memory, long length, BlockFlags flags)
    {
        AwaitableRequest request = new(op, offset, memory, length, flags);
        Submit(request);
        return request.Result;
    }

    private sealed unsafe class AwaitableRequest : BlockRequest, IValueTaskSource<int>
    {
        private ManualResetValueTaskSourceCore<int> _source;

        public AwaitableRequest(BlockOp op, long offset, byte* memory, long length, BlockFlags flags)
        {
            Op = op;
            Offset = offset;
            Length = length;
            Flags = flags;
            if (op is BlockOp.Read or BlockOp.Write)
            {
                Segments = (Iovec*)System.Runtime.InteropServices.NativeMemory.Alloc((nuint)sizeof(Iovec));
                *Segments = new Iovec(memory, (nuint)length);
                SegmentCount = 1;
            }
        }

        public ValueTask<int> Result => new(this, _source.Version);

        int IValueTaskSource<int>.GetResult(short token) => _source.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _source.GetStatus(token);

        void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
            => _source.OnCompleted(continuation, state, token, flags);

        protected internal override void OnCompleted(int result)
        {
            if (Segments != null)
            {
                System.Runtime.InteropServices.NativeMemory.Free(Segments);
                Segments = null;
            }

            _source.SetResult(result);
        }
    }
}
