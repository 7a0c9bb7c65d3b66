using System.Runtime.InteropServices;

namespace Qmp.Aio.Tests;

public sealed unsafe partial class FileIoTests(AioEngineKind kind) : LoopTestBase(kind)
{
    private const int Block = 4096;

    private string _path = null!;
    private int _fd;
    private byte* _buffer;
    private Iovec* _segments;

    [SetUp]
    public void MakeFile()
    {
        _path = Path.Combine(Path.GetTempPath(), $"aio-{Guid.NewGuid():N}");
        _fd = Libc.Open(_path, Libc.O_RDWR | Libc.O_CREAT | Libc.O_EXCL, 0x180);
        Assert.That(_fd, Is.GreaterThanOrEqualTo(0));
        _buffer = (byte*)NativeMemory.AllocZeroed(64 * Block);
        _segments = (Iovec*)NativeMemory.AllocZeroed(64, (nuint)sizeof(Iovec));
    }

    [TearDown]
    public void RemoveFile()
    {
        _ = Libc.Close(_fd);
        _ = Libc.Unlink(_path);
        NativeMemory.Free(_buffer);
        NativeMemory.Free(_segments);
    }

    [Test]
    public void What_is_written_is_read_back_over_scattered_memory()
    {
        for (var i = 0; i < 3 * Block; i++)
        {
            _buffer[i] = (byte)(i * 7);
        }

        NotedRequest write = new();
        _segments[0] = new Iovec(_buffer, Block);
        _segments[1] = new Iovec(_buffer + Block, 2 * Block);
        Loop.Engine.Write(write, _fd, _segments, 2, 512);
        Assert.That(Loop.Engine.InFlight, Is.EqualTo(1));
        TurnUntil(() => write.IsDone, "the write completed");
        Assert.That(write.Results, Is.EqualTo(new[] { 3 * Block }));
        Assert.That(Loop.Engine.InFlight, Is.Zero);

        NotedRequest read = new();
        _segments[2] = new Iovec(_buffer + (8 * Block), 3 * Block);
        Loop.Engine.Read(read, _fd, _segments + 2, 1, 512);
        Assert.That(read.IsDone, Is.False, "completed inside the call");
        TurnUntil(() => read.IsDone, "the read completed");
        Assert.That(read.Results, Is.EqualTo(new[] { 3 * Block }));
        Assert.That(
            new ReadOnlySpan<byte>(_buffer + (8 * Block), 3 * Block).SequenceEqual(new ReadOnlySpan<byte>(_buffer, 3 * Block)));
    }

    [Test]
    public void A_read_at_the_end_is_short_and_beyond_it_is_zero()
    {
        Assert.That(Libc.Ftruncate(_fd, Block + 100), Is.Zero);
        NotedRequest request = new();
        _segments[0] = new Iovec(_buffer, Block);
        Loop.Engine.Read(request, _fd, _segments, 1, Block);
        TurnUntil(() => request.Results.Count == 1, "the read completed");
        Loop.Engine.Read(request, _fd, _segments, 1, 10 * Block);
        TurnUntil(() => request.Results.Count == 2, "the read completed");
        Assert.That(request.Results, Is.EqualTo(new[] { 100, 0 }));
    }

    [Test]
    public void Errors_come_back_as_negative_numbers()
    {
        var readOnly = Libc.Open(_path, Libc.O_RDONLY);
        NotedRequest write = new();
        _segments[0] = new Iovec(_buffer, 512);
        Loop.Engine.Write(write, readOnly, _segments, 1, 0);
        NotedRequest notOpen = new();
        Loop.Engine.Read(notOpen, 1_000_000, _segments, 1, 0);
        TurnUntil(() => write.IsDone && notOpen.IsDone, "both failed");
        Assert.That(write.Results, Is.EqualTo(new[] { -Errno.EBADF }));
        Assert.That(notOpen.Results, Is.EqualTo(new[] { -Errno.EBADF }));
        _ = Libc.Close(readOnly);
    }

    [Test]
    public void Flush_allocate_punch_and_durable_write_succeed()
    {
        NotedRequest requests = new();
        _segments[0] = new Iovec(_buffer, Block);
        Loop.Engine.Write(requests, _fd, _segments, 1, 0, Libc.RWF_DSYNC);
        TurnUntil(() => requests.Results.Count == 1, "written");
        Loop.Engine.Fallocate(requests, _fd, 0, 0, 16 * Block);
        TurnUntil(() => requests.Results.Count == 2, "allocated");
        Assert.That(Libc.Fstat(_fd, out var status), Is.Zero);
        Assert.That(status.Size, Is.EqualTo(16 * Block));
        Loop.Engine.Fallocate(
            requests, _fd, Libc.FALLOC_FL_PUNCH_HOLE | Libc.FALLOC_FL_KEEP_SIZE, 0, 16 * Block);
        TurnUntil(() => requests.Results.Count == 3, "punched");
        Loop.Engine.Fsync(requests, _fd, dataOnly: true);
        TurnUntil(() => requests.Results.Count == 4, "flushed");
        Loop.Engine.Fsync(requests, _fd, dataOnly: false);
        TurnUntil(() => requests.Results.Count == 5, "flushed");
        Assert.That(requests.Results, Is.EqualTo(new[] { Block, 0, 0, 0, 0 }));
        Assert.That(Libc.Fstat(_fd, out status), Is.Zero);
        Assert.That(status.AllocatedBytes, Is.Zero);
    }

    [Test]
    public void More_operations_than_the_submission_queue_holds_all_complete_once()
    {
        const int operations = 5_000;
        Assert.That(Libc.Ftruncate(_fd, 64 * Block), Is.Zero);
        var requests = Enumerable.Range(0, operations).Select(_ => new NotedRequest()).ToList();
        for (var i = 0; i < 64; i++)
        {
            _segments[i] = new Iovec(_buffer + (i * Block), Block);
        }

        for (var i = 0; i < operations; i++)
        {
            Loop.Engine.Read(requests[i], _fd, _segments + (i % 64), 1, i % 64 * Block);
        }

        Assert.That(requests.Any(request => request.IsDone), Is.False, "a handler ran inside a submission");
        TurnUntil(() => Loop.Engine.InFlight == 0, "all completed");
        Assert.That(requests.All(request => request.Results is [Block]));
    }

    [Test]
    public void A_full_batch_goes_to_the_kernel_without_waiting_for_the_end_of_the_turn()
    {
        _buffer[Block] = 0xaa;
        Assert.That(Libc.Pwrite(_fd, _buffer + Block, 1, 0), Is.EqualTo(1));
        Loop.RunOnce(mayBlock: false);
        Loop.AioMaxBatch = 2;
        NotedRequest request = new();
        _segments[0] = new Iovec(_buffer, 1);
        _segments[1] = new Iovec(_buffer + 1, 1);
        Loop.Engine.Read(request, _fd, _segments, 1, 0);
        Loop.Engine.Read(request, _fd, _segments + 1, 1, 0);
        Assert.That(
            SpinWait.SpinUntil(() => Volatile.Read(ref _buffer[0]) == 0xaa && Volatile.Read(ref _buffer[1]) == 0xaa, Patience),
            "the batch was not submitted");
        Assert.That(request.IsDone, Is.False, "a handler ran inside a submission");
        TurnUntil(() => request.Results.Count == 2, "both completed");
    }

    [Test]
    public void A_request_may_be_submitted_again_from_its_completion()
    {
        Assert.That(Libc.Ftruncate(_fd, Block), Is.Zero);
        _segments[0] = new Iovec(_buffer, Block);
        NotedRequest? request = null;
        request = new NotedRequest(_ =>
        {
            if (request!.Results.Count < 100)
            {
                Loop.Engine.Read(request, _fd, _segments, 1, 0);
            }
        });
        Loop.Engine.Read(request, _fd, _segments, 1, 0);
        TurnUntil(() => request.Results.Count == 100 && Loop.Engine.InFlight == 0, "the chain ended");
        Assert.That(request.Results, Is.All.EqualTo(Block));
    }

    [Test]
    public void A_chain_of_completions_does_not_starve_bottom_halves()
    {
        Assert.That(Libc.Ftruncate(_fd, Block), Is.Zero);
        _segments[0] = new Iovec(_buffer, Block);
        var stop = false;
        NotedRequest? request = null;
        request = new NotedRequest(_ =>
        {
            if (!stop)
            {
                Loop.Engine.Read(request!, _fd, _segments, 1, 0);
            }
        });
        Loop.Engine.Read(request, _fd, _segments, 1, 0);
        TurnUntil(() => request.Results.Count > 10, "the chain runs");
        Loop.Schedule(() => stop = true);
        TurnUntil(() => Loop.Engine.InFlight == 0, "the bottom half stopped it");
    }

    [Test]
    public void Stop_waits_for_what_is_in_flight()
    {
        Assert.That(Libc.Ftruncate(_fd, Block), Is.Zero);
        using IoThread thread = new("io", Kind);
        using ManualResetEventSlim done = new();
        NotedRequest request = new(_ => done.Set());
        _segments[0] = new Iovec(_buffer, Block);
        thread.Context.Schedule(() =>
        {
            thread.Context.Stop();
            thread.Context.Engine.Read(request, _fd, _segments, 1, 0);
        });
        thread.Dispose();
        Assert.That(request.Results, Is.EqualTo(new[] { Block }));
    }

    [Test]
    public void Reading_allocates_nothing()
    {
        Assert.That(Libc.Ftruncate(_fd, 64 * Block), Is.Zero);
        Reader[] readers = [.. Enumerable.Range(0, 32).Select(i => new Reader(Loop, _fd, _segments + i))];
        for (var i = 0; i < 32; i++)
        {
            _segments[i] = new Iovec(_buffer + (i * Block), Block);
        }

        foreach (var allocated in new[] { long.MaxValue, 0 })
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var reader in readers)
            {
                reader.Start(200);
            }

            while (Loop.Engine.InFlight > 0)
            {
                Loop.RunOnce(mayBlock: true);
            }

            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThanOrEqualTo(allocated));
        }
    }

    private void StartRead(AioContext loop, AioRequest request)
    {
        _segments[0] = new Iovec(_buffer, Block);
        loop.Engine.Read(request, _fd, _segments, 1, 0);
    }

    private sealed class Reader(AioContext loop, int fd, Iovec* segment) : AioRequest
    {
        private int _left;

        public void Start(int count)
        {
            _left = count;
            loop.Engine.Read(this, fd, segment, 1, 0);
        }

        protected internal override void OnCompleted(int result)
        {
            if (--_left > 0)
            {
                loop.Engine.Read(this, fd, segment, 1, 0);
            }
        }
    }
}
