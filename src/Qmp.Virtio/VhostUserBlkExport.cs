using Qmp.Aio;
using Qmp.Block;
using Qmp.Virtio.Blk;
using Qmp.Virtio.VhostUser;

namespace Qmp.Virtio;

/// <summary>
/// A block node served as a virtio-blk disk over vhost-user: a listening socket, one front end at a time, and the next
/// one when that has gone. Runs on the backend's home loop and moves with it.
/// </summary>
/// <remarks>
/// Made in two steps, because the <see cref="BlockBackend"/> needs its client first: construct, create the backend
/// with this as client, <see cref="StartAsync"/>. Whoever makes the export owns the backend and the socket's path.
/// </remarks>
public sealed class VhostUserBlkExport : IBlockBackendClient
{
    private readonly VhostUserBlkOptions _options;
    private readonly Action<string> _log;
    private BlockBackend? _backend;
    private VirtioBlkDevice? _device;
    private AioContext? _context;
    private AioWatch? _accept;
    private VhostUserSession? _session;
    private int _listenFd = -1;
    private int _drains;
    private bool _stopping;

    /// <summary>Makes an export that is not served yet. <b>Any</b>.</summary>
    /// <param name="options">Checked by the caller.</param>
    /// <param name="log">One line per event worth an operator's attention; called on the export's loop.</param>
    public VhostUserBlkExport(VhostUserBlkOptions options, Action<string> log)
    {
        _options = options;
        _log = message => log($"export '{options.Id}': {message}");
    }

    /// <inheritdoc/>
    public bool CanChangeContext => !_options.FixedContext || _backend == null;

    /// <summary>True while a front end is connected. <b>Loop</b>.</summary>
    public bool IsConnected => _session != null;

    /// <summary>Begins to accept front ends. <b>Main</b>; enters the backend's home loop and comes back to the caller's.</summary>
    /// <param name="backend">Created with this export as its client; must outlive <see cref="StopAsync"/>.</param>
    /// <param name="listenFd">A listening Unix socket; owned from now on.</param>
    public async ValueTask StartAsync(BlockBackend backend, int listenFd)
    {
        AioContext? caller = AioContext.Current;
        _ = Libc.SetNonBlocking(listenFd, true);
        await backend.Home.Enter();
        _backend = backend;
        _context = backend.Home;
        _listenFd = listenFd;
        _device = new VirtioBlkDevice(backend, _options);
        Listen();
        if (caller != null)
        {
            await caller.Enter();
        }
    }

    /// <summary>
    /// Closes the connection and the listening socket; completes when requests in flight have ended and guest memory
    /// is released. <b>Main</b>; idempotent.
    /// </summary>
    public async ValueTask StopAsync()
    {
        if (_backend == null)
        {
            return;
        }
        AioContext? caller = AioContext.Current;
        await _backend.Home.Enter();
        _stopping = true;
        _accept?.Dispose();
        _accept = null;
        if (_listenFd >= 0)
        {
            _ = Libc.Close(_listenFd);
            _listenFd = -1;
        }
        if (_session is { } session)
        {
            await session.CloseAsync();
        }
        if (caller != null)
        {
            await caller.Enter();
        }
    }

    /// <inheritdoc/>
    public void DrainBegin()
    {
        _drains++;
        _session?.DrainBegin();
    }

    /// <inheritdoc/>
    public void DrainEnd()
    {
        if (--_drains == 0)
        {
            _session?.DrainEnd();
        }
    }

    /// <inheritdoc/>
    public void Resized(long newLength) => _session?.NotifyConfigChange();

    /// <inheritdoc/>
    public async ValueTask ContextChangingAsync(AioContext from, AioContext to)
    {
        AioContext? caller = AioContext.Current;
        await from.Enter();
        _accept?.Dispose();
        _accept = null;
        if (_session is { } session)
        {
            await session.DetachAsync();
        }
        await to.Enter();
        _context = to;
        _session?.Attach(to);
        Listen();
        if (caller != null)
        {
            await caller.Enter();
        }
    }

    // One front end at a time: others wait in the socket's backlog.
    private void Listen()
    {
        if (_accept == null && _session == null && !_stopping && _listenFd >= 0)
        {
            _accept = _context!.Watch(_listenFd, AioEvents.In, OnConnection);
        }
    }

    private void OnConnection(AioEvents events)
    {
        int fd = Libc.Accept(_listenFd, Libc.SOCK_NONBLOCK);
        if (fd < 0)
        {
            if (fd is not (-Errno.EAGAIN or -Errno.EINTR or -Errno.ECONNABORTED))
            {
                _log($"could not accept a connection: {Errno.Describe(fd)}");
            }
            return;
        }
        _accept?.Dispose();
        _accept = null;
        _session = new VhostUserSession(_context!, fd, _device!, _drains != 0, _log, OnSessionClosed);
        _session.Start();
    }

    private void OnSessionClosed(VhostUserSession session)
    {
        _session = null;
        Listen();
    }
}
