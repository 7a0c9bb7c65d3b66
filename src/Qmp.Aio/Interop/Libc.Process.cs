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

    /// <summary>The effective user.</summary>
    public static uint Geteuid() => geteuid();

    [LibraryImport(Library)]
    private static partial int gettid();

    [LibraryImport(Library)]
    private static partial uint geteuid();
}
