namespace Qmp.Aio;

/// <summary>
/// A descriptor in the loop's epoll set. An eventfd is edge-triggered, which reports each signal without reading the
/// counter; all others are level-triggered.
/// </summary>
internal sealed class EpollWatch : AioWatch
{
    private readonly ThreadsEngine _engine;
    private readonly Action<AioEvents>? _ready;
    private readonly Action? _signalled;
    private readonly int _index;
    private int _fd;
    private bool _ownsFd;
    private bool _isRegistered;
    private bool _isDisposed;

    public EpollWatch(ThreadsEngine engine, int fd, AioEvents events, Action<AioEvents>? ready, Action? signalled)
        : base(events)
    {
        _engine = engine;
        _fd = fd;
        _ready = ready;
        _signalled = signalled;
        _index = engine.AddWatch(this);
        Register();
    }

    public uint Generation { get; set; }

    public override void Update(AioEvents events)
    {
        _engine.AssertCurrent();
        if (_isDisposed || events == Events)
        {
            return;
        }

        Events = events;
        Register();
    }

    public override void Dispose()
    {
        _engine.AssertCurrent();
        if (_isDisposed)
        {
            return;
        }

        Update(AioEvents.None);
        _isDisposed = true;
        _engine.RemoveWatch(_index);
        if (_ownsFd)
        {
            _ = Libc.Close(_fd);
        }
    }

    public void OnEvents(AioEvents events)
    {
        if (Events == AioEvents.None)
        {
            return;
        }

        if (_signalled is not null)
        {
            _signalled();
            return;
        }

        events &= Events | AioEvents.Error | AioEvents.HangUp | AioEvents.Invalid;
        if (events != AioEvents.None)
        {
            _ready!(events);
        }
    }

    private void Register()
    {
        // A paused descriptor leaves the set: epoll would report its hang-up for ever.
        var events = (uint)Events | (_signalled is null ? 0 : Libc.EpollEdgeTriggered);
        var data = ((ulong)Generation << 32) | (uint)_index;
        if (Events == AioEvents.None)
        {
            if (_isRegistered)
            {
                _isRegistered = false;
                _ = Libc.EpollControl(_engine.Epoll, Libc.EpollDelete, _fd, 0, 0);
            }

            return;
        }

        var result = Libc.EpollControl(
            _engine.Epoll, _isRegistered ? Libc.EpollModify : Libc.EpollAdd, _fd, events, data);
        if (result == -Errno.EEXIST)
        {
            // Two watches of one descriptor: epoll tells them apart by the number.
            var copy = Libc.Duplicate(_fd);
            if (copy >= 0)
            {
                _fd = copy;
                _ownsFd = true;
                result = Libc.EpollControl(_engine.Epoll, Libc.EpollAdd, _fd, events, data);
            }
        }

        _isRegistered = result >= 0;
        if (result < 0 && _ready is not null)
        {
            // As the other engine: said once, later, not from inside this call.
            Events = AioEvents.None;
            _engine.ReportInvalid(_ready);
        }
    }
}
