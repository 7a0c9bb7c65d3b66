using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static Qmp.Aio.IoUringAbi;

namespace Qmp.Aio;

/// <summary>
/// One io_uring per loop, touched by that loop only. One enter call per turn submits what the turn queued, carries
/// the loop's time-out and brings completions. <c>user_data</c> is slot and generation, so that a late completion
/// cannot hit a reused slot; nothing is allocated per operation.
/// </summary>
internal sealed unsafe class IoUringEngine : AioEngine
{
    /// <summary>Slots at the start; the tables double when more operations are in flight, and stay so.</summary>
    private const int InitialSlots = 256;

    private const ulong WatchBit = 1ul << 63;
    private const ulong IgnoredUserData = ulong.MaxValue;

    private readonly IoUringRing _ring;
    private readonly AioEventFd _wakeEvent = new();
    private readonly ulong* _one = (ulong*)NativeMemory.Alloc(sizeof(ulong));
    private Slot[] _slots = [];

    // What was submitted, slot by slot, to submit it again after an interruption. Native, as the kernel may read it.
    private Sqe* _submitted;
    private int _freeSlot = -1;
    private WatchSlot[] _watches = [];
    private int _freeWatch = -1;
    private Cqe[] _ready = new Cqe[256];
    private int _readyNext;
    private int _readyCount;
    private bool _noMultishot;
    private bool _isDisposed;

    private IoUringEngine(IoUringRing ring)
    {
        _ring = ring;
        *_one = 1;
    }

    public override AioEngineKind Kind => AioEngineKind.IoUring;

    public static bool TryCreate([NotNullWhen(true)] out AioEngine? engine, out string reason)
    {
        var ring = IoUringRing.TryCreate(out reason);
        engine = ring is null ? null : new IoUringEngine(ring);
        return engine is not null;
    }

    public override void Read(AioRequest request, int fd, Iovec* segments, int count, long offset, int rwFlags = 0)
        => Transfer(OpRead, OpReadv, request, fd, segments, count, offset, rwFlags);

    public override void Write(AioRequest request, int fd, Iovec* segments, int count, long offset, int rwFlags = 0)
        => Transfer(OpWrite, OpWritev, request, fd, segments, count, offset, rwFlags);

    public override void Fsync(AioRequest request, int fd, bool dataOnly)
        => Submit(OpFsync, request, fd, 0, 0, 0, dataOnly ? FsyncDataOnly : 0);

    public override void Fallocate(AioRequest request, int fd, int mode, long offset, long length)
        => Submit(OpFallocate, request, fd, (ulong)length, (uint)mode, (ulong)offset, 0);

    public override void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _ring.Dispose();
        _wakeEvent.Dispose();
        NativeMemory.Free(_submitted);
        NativeMemory.Free(_one);
        _submitted = null;
    }

    internal override void Attach(AioContext context)
    {
        base.Attach(context);
        WatchEvent(_wakeEvent, static () => { });
    }

    internal override void Wake() => _wakeEvent.Signal();

    internal override void Signal(AioEventFd eventFd)
    {
        // The signal rides on the enter call with which the loop goes to sleep: at depth 1 that is one system call of
        // three. Not behind queued operations, which the kernel may do inside the call and the peer would wait for.
        // Nor from a loop that spins: it has no call to ride on.
        if (_ring.Pending > 0 || Context.IsPolling || !_ring.CanSkipCompletions)
        {
            eventFd.Signal();
            return;
        }

        var entry = Entry();
        *entry = default;
        entry->Opcode = OpWrite;
        entry->Flags = SqeCqeSkipSuccess;
        entry->Fd = eventFd.Fd;
        entry->Offset = ulong.MaxValue;
        entry->Address = (ulong)_one;
        entry->Length = sizeof(ulong);
        entry->UserData = IgnoredUserData;
    }

    internal override void Flush()
    {
        if (_ring.Pending > 0)
        {
            Check(_ring.Enter(0, getEvents: false, 0));
        }
    }

    internal override bool HasReady() => _readyCount > _readyNext || _ring.HasCompletions || _ring.HasWorkInKernel;

    // A method with a native call in it registers a frame for the collector as it is entered: this one, and not its callers.
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal override void Wait(long timeoutNs)
    {
        if (timeoutNs == 0 || _readyCount > _readyNext || _ring.HasCompletions)
        {
            if (_ring.Pending > 0 || _ring.HasWorkInKernel)
            {
                Check(_ring.Enter(0, getEvents: true, 0));
            }
        }
        else
        {
            Check(_ring.Enter(1, getEvents: true, timeoutNs));
        }

        Reap();
    }

    internal override bool Dispatch()
    {
        // Only what was reaped before this turn's handlers ran: a chain of completions cannot starve bottom halves.
        var end = _readyCount;
        if (_readyNext == end)
        {
            return false;
        }

        while (_readyNext < end)
        {
            // The index moves first: a handler that throws loses nothing but itself.
            ref readonly var cqe = ref _ready[_readyNext++];
            if ((cqe.UserData & WatchBit) == 0)
            {
                CompleteRequest(cqe.UserData, cqe.Result);
            }
            else if (cqe.UserData != IgnoredUserData)
            {
                CompleteWatch(cqe.UserData, cqe.Result, cqe.Flags);
            }
        }

        if (_readyNext == _readyCount)
        {
            _readyNext = _readyCount = 0;
        }

        return true;
    }

    internal override AioWatch Watch(int fd, AioEvents events, Action<AioEvents> ready)
        => new IoUringWatch(this, fd, events, ready, null);

    internal override AioWatch WatchEvent(AioEventFd eventFd, Action signalled)
        => new IoUringWatch(this, eventFd.Fd, AioEvents.In, null, signalled);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Check(int result)
    {
        if (result < 0)
        {
            CheckError(result);
        }
    }

    private static void CheckError(int result)
    {
        switch (result)
        {
            case -Errno.EINTR: // A signal, which the runtime uses too: the loop comes back.
            case -Errno.ETIME:
            case -Errno.EAGAIN: // No memory for a request now: it stays queued and the loop comes back.
            case -Errno.EBUSY: // Completions must be taken first: the caller does so next.
                return;
            case -Errno.EEXIST:
                throw new InvalidOperationException("A loop must always be run by the same thread.");
            default:
                throw new IOException($"io_uring: {Errno.Describe(result)}");
        }
    }

    private void Transfer(
        byte flat, byte vectored, AioRequest request, int fd, Iovec* segments, int count, long offset, int rwFlags)
    {
        // One segment needs no list: cheaper for the kernel.
        if (count == 1 && segments->Length <= int.MaxValue)
        {
            Submit(flat, request, fd, (ulong)segments->Base, (uint)segments->Length, (ulong)offset, (uint)rwFlags);
        }
        else
        {
            Submit(vectored, request, fd, (ulong)segments, (uint)count, (ulong)offset, (uint)rwFlags);
        }
    }

    private void Submit(byte opcode, AioRequest request, int fd, ulong address, uint length, ulong offset, uint flags)
    {
        Context.AssertCurrent();
        if (_freeSlot < 0)
        {
            GrowSlots();
        }

        var index = _freeSlot;
        ref var slot = ref _slots[index];
        _freeSlot = slot.NextFree;
        slot.Request = request;
        InFlight++;
        var copy = _submitted + index;
        copy->Opcode = opcode;
        copy->Fd = fd;
        copy->Offset = offset;
        copy->Address = address;
        copy->Length = length;
        copy->OperationFlags = flags;
        copy->UserData = ((ulong)slot.Generation << 32) | (uint)index;
        *Entry() = *copy;
        var batch = Context.AioMaxBatch;
        if (batch > 0 && _ring.Pending >= batch)
        {
            Flush();
        }
    }

    /// <summary>An entry to fill; a full queue is submitted first. Runs no handler.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Sqe* Entry()
    {
        var entry = _ring.NextEntry();
        return entry is null ? EntryOfFullQueue() : entry;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Sqe* EntryOfFullQueue()
    {
        Sqe* entry;
        do
        {
            Check(_ring.Enter(0, getEvents: false, 0));
            entry = _ring.NextEntry();
            if (entry is null)
            {
                // The kernel wants its completions taken before it accepts more.
                Reap();
                Check(_ring.Enter(0, getEvents: true, 0));
                entry = _ring.NextEntry();
            }
        }
        while (entry is null);

        return entry;
    }

    /// <summary>Moves completions to the ready list, where no later enter call can touch them.</summary>
    private void Reap()
    {
        var count = _ring.CompletionsReady(out var head);
        if (count == 0)
        {
            return;
        }

        if (_readyCount + count > _ready.Length)
        {
            Array.Resize(ref _ready, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)_readyCount + count));
        }

        for (var i = 0u; i < count; i++)
        {
            _ready[_readyCount++] = _ring.Completion(head + i);
        }

        _ring.Advance(head + count);
    }

    private void CompleteRequest(ulong userData, int result)
    {
        var index = (int)(uint)userData;
        ref var slot = ref _slots[index];
        if (slot.Generation != (uint)(userData >> 32) || slot.Request is not { } request)
        {
            throw new InvalidOperationException("io_uring: a completion for an operation that is over.");
        }

        if (OperationResults.MustRepeat(result))
        {
            *Entry() = _submitted[index];
            return;
        }

        slot.Request = null;
        slot.Generation = (slot.Generation + 1) & 0x7fffffff;
        slot.NextFree = _freeSlot;
        _freeSlot = index;
        InFlight--;
        request.OnCompleted(result);
    }

    private void CompleteWatch(ulong userData, int result, uint flags)
    {
        ref var slot = ref _watches[(int)(uint)userData];
        if (slot.Generation == (uint)((userData & ~WatchBit) >> 32))
        {
            slot.Watch!.OnCompletion(result, (flags & CqeMore) != 0);
        }
    }

    private void GrowSlots()
    {
        var old = _slots.Length;
        var size = old == 0 ? InitialSlots : old * 2;
        Array.Resize(ref _slots, size);
        _submitted = (Sqe*)NativeMemory.Realloc(_submitted, (nuint)(size * sizeof(Sqe)));
        NativeMemory.Clear(_submitted + old, (nuint)((size - old) * sizeof(Sqe)));
        for (var i = size - 1; i >= old; i--)
        {
            _slots[i].NextFree = _freeSlot;
            _freeSlot = i;
        }
    }

    private struct Slot
    {
        public AioRequest? Request;
        public uint Generation;
        public int NextFree;
    }

    private struct WatchSlot
    {
        public IoUringWatch? Watch;
        public uint Generation;
        public int NextFree;
    }

    /// <summary>
    /// A poll operation in the ring. Events of an eventfd come by a multishot poll, which stays armed and reports each
    /// signal: the counter is never read, so a kick costs no system call here. Other descriptors are polled one shot at
    /// a time and armed again after the callback, which makes them level-triggered.
    /// </summary>
    private sealed class IoUringWatch : AioWatch
    {
        private readonly IoUringEngine _engine;
        private readonly int _fd;
        private readonly Action<AioEvents>? _ready;
        private readonly Action? _signalled;
        private readonly int _slot;
        private readonly ulong _userData;
        private AioEvents _armedEvents;
        private bool _isArmed;
        private bool _isCancelling;
        private bool _isDisposed;

        public IoUringWatch(IoUringEngine engine, int fd, AioEvents events, Action<AioEvents>? ready, Action? signalled)
            : base(events)
        {
            _engine = engine;
            _fd = fd;
            _ready = ready;
            _signalled = signalled;
            _slot = Allocate();
            _userData = WatchBit | ((ulong)engine._watches[_slot].Generation << 32) | (uint)_slot;
            Arm();
        }

        public override void Update(AioEvents events)
        {
            _engine.Context.AssertCurrent();
            if (_isDisposed)
            {
                return;
            }

            Events = events;
            if (_isArmed)
            {
                if (events != _armedEvents)
                {
                    Cancel();
                }
            }
            else
            {
                Arm();
            }
        }

        public override void Dispose()
        {
            _engine.Context.AssertCurrent();
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            Events = AioEvents.None;
            if (!_isArmed)
            {
                Release();
            }
            else if (!_engine._isDisposed)
            {
                // The slot stays ours until the poll itself completes.
                Cancel();
            }
        }

        public void OnCompletion(int result, bool stillArmed)
        {
            if (!stillArmed)
            {
                _isArmed = _isCancelling = false;
            }

            if (_isDisposed)
            {
                if (!stillArmed)
                {
                    Release();
                }

                return;
            }

            if (result == -Errno.EINVAL && _signalled is not null && !_engine._noMultishot)
            {
                // Before Linux 5.13.
                _engine._noMultishot = true;
                Arm();
                return;
            }

            // A poll that was cancelled, or that the kernel had no memory for, is armed again as it is wanted now.
            if (result is not (-Errno.ECANCELED or -Errno.ENOMEM or -Errno.EAGAIN) && Events != AioEvents.None)
            {
                Report(result);
            }

            if (!_isArmed && !_isDisposed)
            {
                Arm();
            }
        }

        private void Report(int result)
        {
            if (result < 0)
            {
                // Not a descriptor that can be polled: say so once instead of spinning.
                Events = AioEvents.None;
                _ready?.Invoke(AioEvents.Invalid | AioEvents.Error);
                return;
            }

            if (_signalled is not null)
            {
                if (_engine._noMultishot)
                {
                    ulong value;
                    _ = Libc.Read(_fd, &value, sizeof(ulong));
                }

                _signalled();
                return;
            }

            var events = (AioEvents)result & (Events | AioEvents.Error | AioEvents.HangUp | AioEvents.Invalid);
            if (events != AioEvents.None)
            {
                _ready!(events);
            }
        }

        private void Arm()
        {
            if (Events == AioEvents.None)
            {
                return;
            }

            _isArmed = true;
            _armedEvents = Events;
            var entry = _engine.Entry();
            *entry = default;
            entry->Opcode = OpPollAdd;
            entry->Fd = _fd;
            entry->OperationFlags = (uint)Events;
            entry->Length = _signalled is not null && !_engine._noMultishot ? PollAddMulti : 0;
            entry->UserData = _userData;
        }

        private void Cancel()
        {
            if (_isCancelling)
            {
                return;
            }

            _isCancelling = true;
            var entry = _engine.Entry();
            *entry = default;
            entry->Opcode = OpPollRemove;
            entry->Fd = -1;
            entry->Address = _userData;
            entry->UserData = IgnoredUserData;
        }

        private int Allocate()
        {
            if (_engine._freeWatch < 0)
            {
                var old = _engine._watches.Length;
                Array.Resize(ref _engine._watches, Math.Max(16, old * 2));
                for (var i = _engine._watches.Length - 1; i >= old; i--)
                {
                    _engine._watches[i].NextFree = _engine._freeWatch;
                    _engine._freeWatch = i;
                }
            }

            var index = _engine._freeWatch;
            _engine._freeWatch = _engine._watches[index].NextFree;
            _engine._watches[index].Watch = this;
            return index;
        }

        private void Release()
        {
            ref var slot = ref _engine._watches[_slot];
            slot.Watch = null;
            slot.Generation = (slot.Generation + 1) & 0x7fffffff;
            slot.NextFree = _engine._freeWatch;
            _engine._freeWatch = _slot;
        }
    }
}
