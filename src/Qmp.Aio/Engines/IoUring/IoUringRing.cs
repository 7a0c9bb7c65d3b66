using System.Runtime.InteropServices;
using static Qmp.Aio.IoUringAbi;

namespace Qmp.Aio;

/// <summary>
/// The two queues shared with the kernel, and nothing else: indices, fences and the enter call. One thread uses it.
/// </summary>
internal sealed unsafe class IoUringRing : IDisposable
{
    /// <summary>Entries that can wait for one submission. A full queue is submitted early: this bounds nothing else.</summary>
    private const uint Entries = 256;

    /// <summary>Completions that fit before the kernel keeps the rest on a list of its own (nothing is lost).</summary>
    private const uint CompletionEntries = 1024;

    // From the newest kernels to 5.11. A ring of one issuer starts disabled: the thread that enables it is the issuer.
    private static readonly uint[] SetupAttempts =
    [
        SetupSingleIssuer | SetupDeferTaskrun | SetupTaskrunFlag | SetupSubmitAll | SetupDisabled | SetupNoSqArray,
        SetupSingleIssuer | SetupDeferTaskrun | SetupTaskrunFlag | SetupSubmitAll | SetupDisabled,
        SetupCoopTaskrun | SetupTaskrunFlag | SetupSubmitAll,
        0,
    ];

    private readonly int _fd;
    private readonly uint _setupFlags;
    private readonly uint _features;
    private readonly byte* _rings;
    private readonly nuint _ringsSize;
    private readonly Sqe* _sqes;
    private readonly nuint _sqesSize;
    private readonly uint* _sqHead;
    private readonly uint* _sqTail;
    private readonly uint* _sqFlags;
    private readonly uint _sqMask;
    private readonly uint* _cqHead;
    private readonly uint* _cqTail;
    private readonly uint _cqMask;
    private readonly Cqe* _cqes;

    // What the kernel reads during enter: the argument and the time-out stay in native memory.
    private readonly EnterArgument* _argument;
    private uint _tail;
    private int _enterFd;
    private uint _enterFlags;
    private bool _isEnabled;
    private bool _isDisposed;

    private IoUringRing(int fd, in IoUringParameters p, byte* rings, nuint ringsSize, Sqe* sqes, nuint sqesSize)
    {
        _fd = _enterFd = fd;
        _setupFlags = p.Flags;
        _features = p.Features;
        _rings = rings;
        _ringsSize = ringsSize;
        _sqes = sqes;
        _sqesSize = sqesSize;
        _sqHead = (uint*)(rings + p.SqHead);
        _sqTail = (uint*)(rings + p.SqTail);
        _sqFlags = (uint*)(rings + p.SqFlags);
        _sqMask = *(uint*)(rings + p.SqRingMask);
        _cqHead = (uint*)(rings + p.CqHead);
        _cqTail = (uint*)(rings + p.CqTail);
        _cqMask = *(uint*)(rings + p.CqRingMask);
        _cqes = (Cqe*)(rings + p.Cqes);
        // Or a daemon that sleeps would look like one that waits for its disks, and keep a processor from resting. Nor are
        // true waits for a disk counted then: the kernel cannot tell the two apart.
        _enterFlags = (p.Features & FeatureNoIoWait) != 0 ? EnterNoIoWait : 0;
        _argument = (EnterArgument*)NativeMemory.AllocZeroed((nuint)sizeof(EnterArgument));
        if ((p.Flags & SetupNoSqArray) == 0)
        {
            // Entries are always used in their order.
            var array = (uint*)(rings + p.SqArray);
            for (var i = 0u; i <= _sqMask; i++)
            {
                array[i] = i;
            }
        }
    }

    /// <summary>Entries taken but not yet seen by the kernel.</summary>
    public uint Pending => _tail - Volatile.Read(ref *_sqHead);

    /// <summary>Whether an operation can go without a completion when it succeeds (Linux 5.17).</summary>
    public bool CanSkipCompletions => (_features & FeatureCqeSkip) != 0;

    /// <summary>Whether completions stand in the queue.</summary>
    public bool HasCompletions => Volatile.Read(ref *_cqTail) != *_cqHead;

    /// <summary>Whether an enter call would bring completions into the queue.</summary>
    public bool HasWorkInKernel => (Volatile.Read(ref *_sqFlags) & (SqCqOverflow | SqTaskrun)) != 0;

    /// <summary>Makes a ring; or null with the reason, in words for an operator.</summary>
    public static IoUringRing? TryCreate(out string reason)
    {
        foreach (var flags in SetupAttempts)
        {
            IoUringParameters p = new()
            {
                Flags = flags | SetupCqSize | SetupClamp,
                CqEntries = CompletionEntries,
            };
            var fd = Libc.IoUringSetup(Entries, &p);
            if (fd >= 0)
            {
                return Map(fd, p, out reason);
            }

            if (fd != -Errno.EINVAL)
            {
                reason = Explain(fd);
                return null;
            }
        }

        reason = "the kernel is older than 5.11";
        return null;
    }

    /// <summary>
    /// The next entry to fill, or null if the queue is full. Clear it: it holds what it was used for before.
    /// It is submitted by the next <see cref="Enter"/>.
    /// </summary>
    public Sqe* NextEntry()
    {
        if (_tail - Volatile.Read(ref *_sqHead) > _sqMask)
        {
            return null;
        }

        return &_sqes[_tail++ & _sqMask];
    }

    /// <summary>
    /// Submits all entries and waits for <paramref name="minComplete"/> completions, at most
    /// <paramref name="timeoutNs"/> (-1: without limit). Zero or more, or the negative error number.
    /// </summary>
    public int Enter(uint minComplete, bool getEvents, long timeoutNs)
    {
        if (!_isEnabled)
        {
            Enable();
        }

        var flags = _enterFlags;
        var size = (nuint)0;
        void* argument = null;
        if (minComplete > 0 || getEvents)
        {
            flags |= EnterGetEvents;
        }

        if (minComplete > 0 && timeoutNs >= 0)
        {
            flags |= EnterExtArg;
            _argument->Seconds = timeoutNs / 1_000_000_000;
            _argument->Nanoseconds = timeoutNs % 1_000_000_000;
            _argument->Timeout = (ulong)&_argument->Seconds;
            argument = _argument;
            size = EnterArgument.KernelSize;
        }

        Volatile.Write(ref *_sqTail, _tail);
        return Libc.IoUringEnter(_enterFd, Pending, minComplete, flags, argument, size);
    }

    /// <summary>Copies the next completion, which is then the kernel's again after <see cref="Advance"/>.</summary>
    public uint CompletionsReady(out uint head)
    {
        head = *_cqHead;
        return Volatile.Read(ref *_cqTail) - head;
    }

    /// <summary>The completion at an index from <see cref="CompletionsReady"/> on.</summary>
    public ref readonly Cqe Completion(uint index) => ref _cqes[index & _cqMask];

    /// <summary>Gives the completions before <paramref name="head"/> back to the kernel.</summary>
    public void Advance(uint head) => Volatile.Write(ref *_cqHead, head);

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _ = Libc.Munmap(_sqes, _sqesSize);
        _ = Libc.Munmap(_rings, _ringsSize);
        _ = Libc.Close(_fd);
        NativeMemory.Free(_argument);
    }

    private static IoUringRing? Map(int fd, in IoUringParameters p, out string reason)
    {
        const uint required = FeatureSingleMmap | FeatureNoDrop | FeatureExtArg;
        if ((p.Features & required) != required)
        {
            _ = Libc.Close(fd);
            reason = "the kernel is older than 5.11";
            return null;
        }

        var ringsSize = (nuint)Math.Max(
            p.SqArray + (p.SqEntries * sizeof(uint)),
            p.Cqes + (p.CqEntries * (uint)sizeof(Cqe)));
        var sqesSize = (nuint)(p.SqEntries * (uint)sizeof(Sqe));
        const int protection = Libc.PROT_READ | Libc.PROT_WRITE;
        const int flags = Libc.MAP_SHARED | Libc.MAP_POPULATE;
        var rings = (byte*)Libc.Mmap(ringsSize, protection, flags, fd, OffsetSqRing, out var error);
        if (rings is not null)
        {
            var sqes = (Sqe*)Libc.Mmap(sqesSize, protection, flags, fd, OffsetSqes, out error);
            if (sqes is not null)
            {
                reason = string.Empty;
                return new IoUringRing(fd, p, rings, ringsSize, sqes, sqesSize);
            }

            _ = Libc.Munmap(rings, ringsSize);
        }

        _ = Libc.Close(fd);
        reason = Explain(error);
        return null;
    }

    private static string Explain(int error) => -error switch
    {
        Errno.ENOSYS => "the kernel or a seccomp filter does not offer it",
        Errno.EPERM or Errno.EACCES => "the sysctl kernel.io_uring_disabled or a seccomp filter forbids it",
        Errno.ENOMEM => "not enough memory, or the limit on locked memory (ulimit -l) is too low",
        _ => Errno.Describe(error),
    };

    // On the loop's thread, before its first enter.
    private void Enable()
    {
        _isEnabled = true;
        if ((_setupFlags & SetupDisabled) == 0)
        {
            return;
        }

        var result = Libc.IoUringRegister(_fd, RegisterEnableRings, null, 0);
        if (result < 0)
        {
            throw new IOException($"io_uring: could not enable the ring: {Errno.Describe(result)}");
        }

        // Spares the kernel the look-up of the descriptor. Bound to this thread, as is a ring of one issuer.
        var update = stackalloc ulong[2];
        update[0] = uint.MaxValue;
        update[1] = (ulong)_fd;
        if (Libc.IoUringRegister(_fd, RegisterRingFds, update, 1) == 1)
        {
            _enterFd = (int)(uint)update[0];
            _enterFlags |= EnterRegisteredRing;
        }
    }
}
