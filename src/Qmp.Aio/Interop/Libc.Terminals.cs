using System.Runtime.InteropServices;
using System.Text;

namespace Qmp.Aio;

public static unsafe partial class Libc
{
    private const int TerminalModesBytes = 60; // struct termios
    private const int LocalFlagsOffset = 12;
    private const uint SignalFlag = 1; // ISIG
    private const int SetNow = 0; // TCSANOW
    private const int MaxTerminalName = 128;

    /// <summary>Opens a new pseudo terminal, whose other side is raw: it neither echoes nor waits for lines (pty(7)).</summary>
    /// <param name="name">Path of the other side.</param>
    /// <returns>This side, or the negative error number.</returns>
    public static int OpenPseudoTerminal(out string name)
    {
        name = string.Empty;
        var fd = Result(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
        if (fd < 0)
        {
            return fd;
        }

        var text = stackalloc byte[MaxTerminalName];
        var result = Result(grantpt(fd));
        result = result < 0 ? result : Result(unlockpt(fd));
        result = result < 0 ? result : -ptsname_r(fd, text, MaxTerminalName);
        if (result < 0)
        {
            _ = Close(fd);
            return result;
        }

        name = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
        result = Open(name, O_RDWR | O_NOCTTY);
        if (result < 0)
        {
            _ = Close(fd);
            return result;
        }

        var modes = stackalloc byte[TerminalModesBytes];
        _ = tcgetattr(result, modes);
        cfmakeraw(modes);
        _ = tcsetattr(result, SetNow, modes);
        _ = Close(result);
        return fd;
    }

    /// <summary>Whether a descriptor is a terminal.</summary>
    public static bool IsTerminal(int fd) => isatty(fd) == 1;

    /// <summary>Says whether keys such as Ctrl-C send signals at a terminal; the negative error number if it is none.</summary>
    public static int SetTerminalSignals(int fd, bool areOn)
    {
        var modes = stackalloc byte[TerminalModesBytes];
        var result = Result(tcgetattr(fd, modes));
        if (result < 0)
        {
            return result;
        }

        var flags = (uint*)(modes + LocalFlagsOffset);
        *flags = areOn ? *flags | SignalFlag : *flags & ~SignalFlag;
        return Result(tcsetattr(fd, SetNow, modes));
    }

    /// <summary>Makes a symbolic link; zero or the negative error number.</summary>
    public static int Symlink(string target, string path) => Result(symlink(target, path));

    [LibraryImport(Library, SetLastError = true)]
    private static partial int posix_openpt(int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int grantpt(int fd);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int unlockpt(int fd);

    [LibraryImport(Library)]
    private static partial int ptsname_r(int fd, byte* text, nuint length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int tcgetattr(int fd, byte* modes);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int tcsetattr(int fd, int when, byte* modes);

    [LibraryImport(Library)]
    private static partial void cfmakeraw(byte* modes);

    [LibraryImport(Library)]
    private static partial int isatty(int fd);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int symlink(string target, string path);
}
