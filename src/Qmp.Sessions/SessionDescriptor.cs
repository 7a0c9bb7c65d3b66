using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Qmp.Aio;

namespace Qmp.Sessions;

/// <summary>
/// What a passed descriptor leads to, in words: <c>socket</c>, <c>pipe</c>, <c>memory</c>, or <c>r</c>, <c>w</c> or
/// <c>rw</c> and a path.
/// </summary>
internal static class SessionDescriptor
{
    public static bool IsValid(string text) =>
        text is "socket" or "pipe" or "memory" || (text.IndexOf(' ') is var space and > 0 && space + 1 < text.Length && text[..space] is "r" or "w" or "rw");

    /// <summary>Describes an open descriptor of this process.</summary>
    public static string Describe(int fd)
    {
        var number = fd.ToString(CultureInfo.InvariantCulture);
        var target = new FileInfo("/proc/self/fd/" + number).LinkTarget ?? "";
        if (target.StartsWith("socket:", StringComparison.Ordinal))
        {
            return "socket";
        }

        if (target.StartsWith("pipe:", StringComparison.Ordinal))
        {
            return "pipe";
        }

        if (!target.StartsWith('/') || target.StartsWith("/memfd:", StringComparison.Ordinal))
        {
            return "memory";
        }

        var flags = File.ReadLines("/proc/self/fdinfo/" + number).FirstOrDefault(line => line.StartsWith("flags:", StringComparison.Ordinal));
        var access = flags is null ? 0 : Convert.ToInt32(flags[6..].Trim(), 8) & 3;
        return (access == 1 ? "w " : access == 2 ? "rw " : "r ") + target;
    }

    /// <summary>Opens what the words say.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle Open(string text)
    {
        var space = text.IndexOf(' ');
        int fd;
        if (space < 0)
        {
            int other;
            fd = text switch
            {
                "socket" => Libc.SocketPair(Libc.AF_UNIX, Libc.SOCK_STREAM, out fd, out other) is var made && made < 0 ? made : Keep(fd, other),
                "pipe" => Libc.Pipe(out fd, out other) is var piped && piped < 0 ? piped : Keep(fd, other),
                _ => Libc.MemfdCreate("qmp-session", 0),
            };
        }
        else
        {
            fd = Libc.Open(text[(space + 1)..], text[..space] switch { "w" => 1, "rw" => Libc.O_RDWR, _ => 0 });
        }

        return fd < 0 ? throw new IOException($"cannot open '{text}': {Errno.Describe(fd)}") : new SafeFileHandle(fd, ownsHandle: true);
    }

    // The other end stays open as long as the process: the receiver shall not see its end.
    private static int Keep(int fd, int other)
    {
        lock (Kept)
        {
            Kept.Add(other);
        }

        return fd;
    }

    private static readonly List<int> Kept = [];
}
