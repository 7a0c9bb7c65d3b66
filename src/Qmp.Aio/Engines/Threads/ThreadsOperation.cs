namespace Qmp.Aio;

/// <summary>The operations of the threads engine.</summary>
internal enum ThreadsOperationKind
{
    Read,
    Write,
    Fsync,
    Fdatasync,
    Fallocate,
}

/// <summary>One operation on its way through a worker thread; the loop reuses it.</summary>
internal sealed unsafe class ThreadsOperation : WorkItem
{
    private readonly AioContext _context;
    private readonly Completion _completion;

    public ThreadsOperation(ThreadsEngine engine, AioContext context)
    {
        _context = context;
        _completion = new Completion(engine, this);
    }

    public ThreadsOperationKind Kind { get; set; }

    public AioRequest? Request { get; set; }

    public int Fd { get; set; }

    public Iovec* Segments { get; set; }

    public int Count { get; set; }

    public long Offset { get; set; }

    public long Length { get; set; }

    public int Flags { get; set; }

    public int Result { get; private set; }

    public ThreadsOperation? NextFree { get; set; }

    public override void Execute() => Result = Kind switch
    {
        ThreadsOperationKind.Read => (int)Libc.Preadv(Fd, Segments, Count, Offset, Flags),
        ThreadsOperationKind.Write => (int)Libc.Pwritev(Fd, Segments, Count, Offset, Flags),
        ThreadsOperationKind.Fsync => Libc.Fsync(Fd),
        ThreadsOperationKind.Fdatasync => Libc.Fdatasync(Fd),
        _ => Libc.Fallocate(Fd, Flags, Offset, Length),
    };

    public override void Complete() => _context.Push(_completion);

    private sealed class Completion(ThreadsEngine engine, ThreadsOperation operation) : BottomHalfNode
    {
        internal override void RunTaken(AioContext context) => engine.Finish(operation);
    }
}
