using System.Runtime.InteropServices;
using Qmp.Aio;

namespace Qmp.Block.Tests;

/// <summary>A request with memory of its own, in equal segments.</summary>
internal sealed unsafe class ScatterRequest : BlockRequest, IDisposable
{
    private readonly TaskCompletionSource<int> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte* _memory;

    public ScatterRequest(BlockOp op, long offset, int segmentCount, int segmentSize, bool hasMemory = true)
    {
        Op = op;
        Offset = offset;
        Length = (long)segmentCount * segmentSize;
        if (!hasMemory)
        {
            return;
        }

        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)Length, 4096);
        Segments = (Iovec*)NativeMemory.Alloc((nuint)segmentCount, (nuint)sizeof(Iovec));
        SegmentCount = segmentCount;
        for (var i = 0; i < segmentCount; i++)
        {
            Segments[i] = new Iovec(_memory + ((long)i * segmentSize), (nuint)segmentSize);
        }
    }

    public Task<int> Completion => _completion.Task;

    public Span<byte> Content => new(_memory, (int)Length);

    public int CompletionCount { get; private set; }

    public Action<int>? Then { get; init; }

    public void FillRandom(int seed) => new Random(seed).NextBytes(Content);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        NativeMemory.Free(Segments);
        Segments = null;
    }

    protected internal override void OnCompleted(int result)
    {
        CompletionCount++;
        Then?.Invoke(result);
        _completion.TrySetResult(result);
    }
}

/// <summary>Reads and writes of 4 KiB, 32 at a time, each starting the next when it completes.</summary>
internal sealed unsafe class SteadyLoad(BlockBackend backend)
{
    private const int Depth = 32;

    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left;
    private int _running;
    private int _next;

    public Task RunAsync(int count)
    {
        _left = count;
        for (var i = 0; i < Depth; i++)
        {
            _running++;
            new Slot(this).Start();
        }

        return _done.Task;
    }

    private sealed class Slot : BlockRequest
    {
        private readonly SteadyLoad _load;
        private bool _isStarting;
        private bool _startAgain;

        public Slot(SteadyLoad load)
        {
            _load = load;
            Segments = (Iovec*)NativeMemory.Alloc((nuint)sizeof(Iovec));
            *Segments = new Iovec((byte*)NativeMemory.AlignedAlloc(4096, 4096), 4096);
            SegmentCount = 1;
            Length = 4096;
            new Random(_load._next).NextBytes(new Span<byte>(Segments->Base, 4096));
        }

        public void Start()
        {
            // A request may complete inside Submit: turn that into a loop.
            do
            {
                _startAgain = false;
                if (_load._left-- <= 0)
                {
                    if (--_load._running == 0)
                    {
                        _load._done.SetResult();
                    }

                    return;
                }

                Op = _load._next % 2 == 0 ? BlockOp.Write : BlockOp.Read;
                Offset = _load._next++ % 1000 * 4096;
                _isStarting = true;
                _load.Target.Submit(this);
                _isStarting = false;
            }
            while (_startAgain);
        }

        protected internal override void OnCompleted(int result)
        {
            if (result != 0)
            {
                _load._done.TrySetException(new InvalidOperationException($"a request ended with {result}"));
            }

            if (_isStarting)
            {
                _startAgain = true;
            }
            else
            {
                Start();
            }
        }
    }

    private BlockBackend Target => backend;
}
