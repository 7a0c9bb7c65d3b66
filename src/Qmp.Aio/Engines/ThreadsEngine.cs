namespace Qmp.Aio;

internal sealed class ThreadsEngine : AioEngine
{
    public override AioEngineKind Kind => AioEngineKind.Threads;

    public override unsafe void Read(AioRequest request, int fd, Iovec* segments, int count, long offset, int rwFlags = 0) => throw new NotImplementedException();

    public override unsafe void Write(AioRequest request, int fd, Iovec* segments, int count, long offset, int rwFlags = 0) => throw new NotImplementedException();

    public override void Fsync(AioRequest request, int fd, bool dataOnly) => throw new NotImplementedException();

    public override void Fallocate(AioRequest request, int fd, int mode, long offset, long length) => throw new NotImplementedException();

    public override void Dispose()
    {
    }

    internal override void Flush() => throw new NotImplementedException();

    internal override bool HasReady() => throw new NotImplementedException();

    internal override void Wait(long timeoutNs) => throw new NotImplementedException();

    internal override bool Dispatch() => throw new NotImplementedException();

    internal override void Wake() => throw new NotImplementedException();

    internal override AioWatch Watch(int fd, AioEvents events, Action<AioEvents> ready) => throw new NotImplementedException();

    internal override AioWatch WatchEvent(AioEventFd eventFd, Action signalled) => throw new NotImplementedException();
}
