using System.Diagnostics;
using System.Globalization;
using Qmp.Aio;

namespace Qmp.Daemon.Process;

/// <summary>
/// <c>--daemonize</c>. A process with a running runtime cannot fork, so it starts itself again and waits: the child
/// says on a pipe that it is ready, and only then lets go of the terminal; until then its errors appear there.
/// </summary>
internal static unsafe class Daemonizer
{
    // Number of the pipe's descriptor in the child.
    private const string ReadyVariable = "QMPD_READY_FD";

    /// <summary>Whether this process is the child.</summary>
    public static bool IsChild => Environment.GetEnvironmentVariable(ReadyVariable) is not null;

    /// <summary>Starts the child with the same command line.</summary>
    /// <returns>The exit status of the parent: 0 when the child is ready, 1 when it has failed and said why.</returns>
    public static int StartAndWait(IEnumerable<string> words)
    {
        if (Libc.Pipe(out var readEnd, out var writeEnd) is var piped && piped < 0)
        {
            throw new IOException($"Cannot daemonize: {Errno.Describe(piped)}");
        }

        _ = Libc.Fcntl(writeEnd, Libc.F_SETFD);
        var program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "qmpd.dll"));
        }

        foreach (var word in words)
        {
            start.ArgumentList.Add(word);
        }

        start.Environment[ReadyVariable] = writeEnd.ToString(CultureInfo.InvariantCulture);
        using var child = System.Diagnostics.Process.Start(start) ?? throw new IOException("Cannot daemonize: no process");
        _ = Libc.Close(writeEnd);
        byte ready;
        long count;
        do
        {
            count = Libc.Read(readEnd, &ready, 1);
        }
        while (count == -Errno.EINTR);
        if (count == 1)
        {
            return 0;
        }

        child.WaitForExit();
        return 1;
    }

    /// <summary>In the child, before anything is opened: a session of its own.</summary>
    public static void BecomeLeader()
    {
        _ = Libc.Setsid();
        _ = Libc.Umask(0x17); // 0027
    }

    /// <summary>In the child, when everything is ready: lets go of the terminal and the folder, and of the parent.</summary>
    public static void Detach()
    {
        var ready = int.Parse(Environment.GetEnvironmentVariable(ReadyVariable)!, CultureInfo.InvariantCulture);
        Environment.SetEnvironmentVariable(ReadyVariable, null);
        Environment.CurrentDirectory = "/";
        var devNull = Libc.Open("/dev/null", Libc.O_RDWR);
        foreach (var copy in CopiesOfStandardStreams())
        {
            _ = Libc.Dup2(devNull, copy);
            _ = Libc.Fcntl(copy, Libc.F_SETFD, Libc.FD_CLOEXEC);
        }

        for (var fd = 0; fd <= 2; fd++)
        {
            _ = Libc.Dup2(devNull, fd);
        }

        if (devNull > 2)
        {
            _ = Libc.Close(devNull);
        }

        byte one = 1;
        _ = Libc.Write(ready, &one, 1);
        _ = Libc.Close(ready);
    }

    // The runtime keeps copies of its own. A pipe that stays open there would keep its reader waiting for our end.
    private static List<int> CopiesOfStandardStreams()
    {
        var targets = Enumerable.Range(0, 3).Select(TargetOf).Where(target => target is not null and not "/dev/null").ToHashSet();
        return [.. Directory.GetFiles("/proc/self/fd").Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture))
            .Where(fd => fd > 2 && targets.Contains(TargetOf(fd)))];
    }

    private static string? TargetOf(int fd) => new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{fd}")).LinkTarget;
}
