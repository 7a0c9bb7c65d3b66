using System.Runtime.InteropServices;

namespace Qmp.Aio;

public static unsafe partial class Libc
{
    /// <summary>Makes an event counter, close-on-exec and non-blocking.</summary>
    public static int EventFd(uint initial = 0) => Result(eventfd(initial, O_CLOEXEC | O_NONBLOCK));

    /// <summary>Makes the process the leader of a new session.</summary>
    public static int Setsid() => Result(setsid());

    /// <summary>Sends a signal; 0 only looks whether the process exists.</summary>
    public static int Kill(int pid, int signal) => Result(kill(pid, signal));

    /// <summary>Replaces <paramref name="newFd"/> by a copy of <paramref name="oldFd"/>.</summary>
    public static int Dup2(int oldFd, int newFd) => Result(dup2(oldFd, newFd));

    /// <summary>The id of the calling thread.</summary>
    public static int Gettid() => gettid();

    [LibraryImport(Library, SetLastError = true)]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int setsid();

    [LibraryImport(Library, SetLastError = true)]
    private static partial int kill(int pid, int signal);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int dup2(int oldFd, int newFd);

    /// <summary>
    /// Gives the calling thread a nice value below 0; threads and processes that it makes start at 0
    /// (<c>SCHED_RESET_ON_FORK</c>). A thread to which somebody gave a policy or a nice value of its own keeps them.
    /// 0, or the negative error number: without the right to it (<c>CAP_SYS_NICE</c>, <c>RLIMIT_NICE</c>) nothing changes.
    /// </summary>
    /// <param name="nice">-20 to -1.</param>
    public static int RaisePriority(int nice)
    {
        if (sched_getscheduler(0) != SchedOther || getpriority(0, 0) != 0)
        {
            return 0;
        }

        // First the flag, which needs no right: a thread made between the two calls must not inherit the value.
        int priority = 0;
        int result = Result(sched_setscheduler(0, SchedOther | SchedResetOnFork, &priority));
        return result < 0 ? result : Result(setpriority(0, 0, nice));
    }

    private const int SchedOther = 0;
    private const int SchedResetOnFork = 0x40000000;

    [LibraryImport(Library)]
    private static partial int sched_getscheduler(int pid);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int sched_setscheduler(int pid, int policy, int* priority);

    [LibraryImport(Library)]
    private static partial int getpriority(int which, int who);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int setpriority(int which, int who, int nice);

    /// <summary>The effective user.</summary>
    public static uint Geteuid() => geteuid();

    [LibraryImport(Library)]
    private static partial int gettid();

    [LibraryImport(Library)]
    private static partial uint geteuid();
}
