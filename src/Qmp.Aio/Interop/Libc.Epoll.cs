using System.Runtime.InteropServices;

namespace Qmp.Aio;

public static unsafe partial class Libc
{
    internal const int EpollAdd = 1;
    internal const int EpollDelete = 2;
    internal const int EpollModify = 3;
    internal const uint EpollEdgeTriggered = 1u << 31;

    // The kernel packs the structure on x86-64 only.
    internal static readonly int EpollEventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private const nint EpollPwait2Number = 441;

    internal static int EpollCreate() => Result(epoll_create1(O_CLOEXEC));

    internal static int EpollControl(int epoll, int operation, int fd, uint events, ulong data)
    {
        var buffer = stackalloc byte[16];
        *(uint*)buffer = events;
        *(ulong*)(buffer + EpollEventSize - sizeof(ulong)) = data;
        return Result(epoll_ctl(epoll, operation, fd, buffer));
    }

    /// <summary>Waits; a time-out of -1 is none. Nanoseconds where the kernel can (5.11), else rounded up to milliseconds.</summary>
    internal static int EpollWait(int epoll, byte* events, int count, long timeoutNs)
    {
        if (timeoutNs > 0)
        {
            var timeout = stackalloc long[2];
            timeout[0] = timeoutNs / 1_000_000_000;
            timeout[1] = timeoutNs % 1_000_000_000;
            var result = (int)Result((long)syscall(
                EpollPwait2Number, epoll, (nint)events, count, (nint)timeout, 0, 0));
            if (result is not (-Errno.ENOSYS or -Errno.EPERM))
            {
                return result;
            }
        }

        var milliseconds = timeoutNs < 0 ? -1 : (int)Math.Min(int.MaxValue, (timeoutNs + 999_999) / 1_000_000);
        return Result(epoll_wait(epoll, events, count, milliseconds));
    }

    /// <summary>What a descriptor is ready for at this moment, without waiting. <b>Any</b>.</summary>
    public static AioEvents PollNow(int fd, AioEvents events)
    {
        var entry = stackalloc int[2];
        entry[0] = fd;
        entry[1] = (ushort)(int)events;
        var result = poll(entry, 1, 0);
        return result <= 0 ? AioEvents.None : (AioEvents)((uint)entry[1] >> 16);
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial int poll(int* entries, nuint count, int timeout);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int fd, void* @event);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int epoll_wait(int epoll, void* events, int count, int timeout);
}
