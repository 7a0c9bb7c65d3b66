using Qmp.Aio;
using Qmp.Virtio.Blk;
using Qmp.Virtio.Memory;

namespace Qmp.Virtio.VhostUser;

/// <summary>
/// One front end's connection, from accept to close: the state machine of the vhost-user back end. Messages are
/// handled one at a time; while one waits (for requests in flight to end), the socket is not read.
/// </summary>
/// <remarks>
/// Loop. A message that breaks the protocol ends the connection with one log line; a ring that breaks virtio's rules
/// ends with that ring. Nothing a front end sends throws.
/// </remarks>
internal sealed partial class VhostUserSession
{
    // Messages handled before others on the loop get their turn.
    private const int MessagesPerTurn = 32;

    private readonly VirtioBlkDevice _device;
    private readonly VhostUserChannel _channel;
    private readonly VhostUserRing[] _rings;
    private readonly GuestMemory _memory = new();
    private readonly Action<string> _log;
    private readonly Action<VhostUserSession> _closed;
    private AioContext _context;
    private AioWatch? _watch;
    private SharedMapping? _inflight;
    private int _inflightQueues;
    private int _inflightQueueSize;
    private ulong _features;
    private ulong _protocolFeatures;
    private byte _status;
    private int _backendRequestFd = -1;
    private bool _drained;
    private bool _handling;
    private bool _closing;
    private TaskCompletionSource? _handled;
    private TaskCompletionSource? _end;

    /// <summary>Makes a session; it does nothing before <see cref="Start"/>.</summary>
    /// <param name="context">The disk's loop.</param>
    /// <param name="fd">Connected, non-blocking socket; owned from now on.</param>
    /// <param name="device">The disk.</param>
    /// <param name="drained">True when the disk is in a drained section now.</param>
    /// <param name="log">Receives one line per event worth an operator's attention.</param>
    /// <param name="closed">Called when the connection is closed and everything of it is released.</param>
    public VhostUserSession(AioContext context, int fd, VirtioBlkDevice device, bool drained, Action<string> log, Action<VhostUserSession> closed)
    {
        _context = context;
        _device = device;
        _drained = drained;
        _log = log;
        _closed = closed;
        _channel = new VhostUserChannel(fd);
        _rings = new VhostUserRing[device.QueueCount];
        for (int i = 0; i < _rings.Length; i++)
        {
            _rings[i] = new VhostUserRing(i);
        }
    }

    /// <summary>Starts to serve.</summary>
    public void Start() => _watch = _context.Watch(_channel.Fd, AioEvents.In, OnReadable);

    /// <summary>A drained section begins: rings take nothing more.</summary>
    public void DrainBegin()
    {
        _drained = true;
        foreach (VhostUserRing ring in _rings)
        {
            ring.Queue?.Pause();
        }
    }

    /// <summary>The drained section is over: rings go on, with what has been waiting.</summary>
    public void DrainEnd()
    {
        _drained = false;
        if (!_closing)
        {
            foreach (VhostUserRing ring in _rings)
            {
                RunIfWanted(ring);
            }
        }
    }

    /// <summary>Tells the front end that the configuration space has changed.</summary>
    public void NotifyConfigChange()
    {
        if (_backendRequestFd < 0 || (_protocolFeatures & VhostUserProtocol.FeatureConfig) == 0)
        {
            return;
        }
        // No reply is asked for: nothing here would wait for it.
        Span<byte> message = stackalloc byte[VhostUserHeader.Bytes];
        BitConverter.TryWriteBytes(message, VhostUserProtocol.BackendConfigChange);
        BitConverter.TryWriteBytes(message[4..], VhostUserHeader.Version);
        BitConverter.TryWriteBytes(message[8..], 0u);
        int result = VhostUserChannel.Send(_backendRequestFd, message, -1);
        if (result != 0)
        {
            _log($"could not tell the front end that the configuration has changed: {Errno.Describe(result)}");
        }
    }

    /// <summary>Leaves the loop, before a move; the disk is drained, so nothing is in flight.</summary>
    public async ValueTask DetachAsync()
    {
        while (_handling)
        {
            _handled ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await _handled.Task;
        }
        _watch?.Dispose();
        _watch = null;
        foreach (VhostUserRing ring in _rings)
        {
            ring.Queue?.Pause();
        }
        // A batch may still wait for the end of this loop's turn: it belongs here.
        await _context.Yield();
    }

    /// <summary>Goes on, on another loop. Called there.</summary>
    public void Attach(AioContext context)
    {
        _context = context;
        foreach (VhostUserRing ring in _rings)
        {
            ring.Queue?.MoveTo(context);
        }
        if (!_closing)
        {
            Start();
            foreach (VhostUserRing ring in _rings)
            {
                RunIfWanted(ring);
            }
        }
    }

    /// <summary>Closes the connection; completes when requests in flight have ended and everything is released.</summary>
    public ValueTask CloseAsync()
    {
        if (_end == null)
        {
            BeginClose();
        }
        return new ValueTask(_end!.Task);
    }

    private void OnReadable(AioEvents events)
    {
        for (int i = 0; i < MessagesPerTurn && _watch != null; i++)
        {
            switch (_channel.Read())
            {
                case VhostUserChannel.ReadResult.Pending:
                    return;
                case VhostUserChannel.ReadResult.Closed:
                    BeginClose();
                    return;
                case VhostUserChannel.ReadResult.Malformed:
                    Fail(_channel.Error);
                    return;
                default:
                    ValueTask<Outcome> handled = HandleAsync();
                    if (!handled.IsCompletedSuccessfully)
                    {
                        _ = FinishLaterAsync(handled);
                        return;
                    }
                    Finish(handled.Result);
                    break;
            }
        }
    }

    private async Task FinishLaterAsync(ValueTask<Outcome> handling)
    {
        // Not read meanwhile: the next message must find the state that this one leaves.
        _handling = true;
        _watch?.Update(AioEvents.None);
        Outcome outcome;
        try
        {
            outcome = await handling;
        }
        catch (Exception e) when (e is InsufficientMemoryException or OutOfMemoryException or IOException)
        {
            outcome = Outcome.Fatal(e.Message);
        }
        _handling = false;
        if (!_closing)
        {
            Finish(outcome);
            _watch?.Update(AioEvents.In);
        }
        TaskCompletionSource? waiter = _handled;
        _handled = null;
        waiter?.SetResult();
    }

    private void Finish(Outcome outcome)
    {
        VhostUserHeader header = _channel.Header;
        bool acknowledge = (header.Flags & VhostUserHeader.NeedReply) != 0 && (_protocolFeatures & VhostUserProtocol.FeatureReplyAck) != 0;
        int sent = 0;
        switch (outcome.Kind)
        {
            case OutcomeKind.Done when acknowledge:
                sent = _channel.Reply(0);
                break;
            case OutcomeKind.Refused:
                _log($"vhost-user message {header.Request} refused: {outcome.Reason}");
                if (!acknowledge)
                {
                    // The front end cannot know: going on would serve it something else than it believes.
                    Fail(outcome.Reason!);
                    return;
                }
                sent = _channel.Reply(1);
                break;
            case OutcomeKind.Fatal:
                Fail($"message {header.Request}: {outcome.Reason}");
                return;
            case OutcomeKind.Answered:
                sent = outcome.SendResult;
                break;
        }
        _channel.Finish();
        if (sent != 0)
        {
            Fail(sent == -Errno.EAGAIN ? "the front end does not read its replies" : $"could not reply: {Errno.Describe(sent)}");
        }
    }

    private void Fail(string reason)
    {
        if (!_closing)
        {
            _log($"vhost-user connection closed: {reason}");
            BeginClose();
        }
    }

    private void BeginClose()
    {
        if (_closing)
        {
            return;
        }
        _closing = true;
        _end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _watch?.Dispose();
        _watch = null;
        foreach (VhostUserRing ring in _rings)
        {
            ring.Queue?.Pause();
        }
        _ = EndAsync();
    }

    private async Task EndAsync()
    {
        while (_handling)
        {
            _handled ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await _handled.Task;
        }
        // The front end may be gone while its guest lives: what is in flight still reaches the rings.
        foreach (VhostUserRing ring in _rings)
        {
            if (ring.Queue is { } queue)
            {
                await queue.WhenIdleAsync();
            }
        }
        foreach (VhostUserRing ring in _rings)
        {
            ring.Dispose();
        }
        _memory.Dispose();
        _inflight?.Dispose();
        _channel.Dispose();
        if (_backendRequestFd >= 0)
        {
            _ = Libc.Close(_backendRequestFd);
            _backendRequestFd = -1;
        }
        _device.ResetWriteCache();
        _closed(this);
        _end!.SetResult();
    }

    private void OnBroken(VirtioBlkQueue queue)
    {
        foreach (VhostUserRing ring in _rings)
        {
            if (ring.Queue == queue)
            {
                _log($"virtqueue {ring.Index} is broken: {queue.Broken}");
                ring.Error?.Signal();
            }
        }
        if (_memory.HasVanished)
        {
            // Not from inside a handler of the queue, which is still on the stack.
            _context.Schedule(static session => ((VhostUserSession)session!).Fail("guest memory has vanished"), this);
        }
    }

    private void RunIfWanted(VhostUserRing ring)
    {
        if (ring.Enabled && !_drained && !_closing)
        {
            ring.Queue?.Start();
        }
    }

    private enum OutcomeKind
    {
        /// <summary>Done, nothing said yet: acknowledged if asked for.</summary>
        Done,

        /// <summary>The reply has been sent.</summary>
        Answered,

        /// <summary>Well-formed, but cannot be done: the front end is told.</summary>
        Refused,

        /// <summary>Against the protocol: the connection ends.</summary>
        Fatal,
    }

    private readonly record struct Outcome(OutcomeKind Kind, string? Reason, int SendResult)
    {
        public static readonly Outcome Done = new(OutcomeKind.Done, null, 0);

        public static Outcome Answered(int sendResult) => new(OutcomeKind.Answered, null, sendResult);

        public static Outcome Refused(string reason) => new(OutcomeKind.Refused, reason, 0);

        public static Outcome Fatal(string reason) => new(OutcomeKind.Fatal, reason, 0);
    }
}
