using System.Globalization;
using System.Text;
using Qmp.Aio;

namespace Qmp.Daemon.Process;

/// <summary>
/// A file with the daemon's process number, locked as long as the daemon lives, so that a second one on the same file
/// is refused whatever the number says. Removed at the end.
/// </summary>
internal sealed unsafe class PidFile : IDisposable
{
    private readonly string _path;
    private int _fd;

    private PidFile(string path, int fd)
    {
        _path = path;
        _fd = fd;
    }

    /// <summary>Makes and locks the file.</summary>
    /// <param name="path">Its path; kept as an absolute one.</param>
    /// <exception cref="IOException">It cannot be made, or another process holds it.</exception>
    public static PidFile Create(string path)
    {
        while (true)
        {
            var fd = Libc.Open(path, Libc.O_CREAT | Libc.O_RDWR, 0x180);
            if (fd < 0)
            {
                throw new IOException($"Could not create '{path}': {Errno.Describe(fd)}");
            }

            var whole = new FileLock { Type = Libc.F_WRLCK };
            var locked = Libc.FcntlLock(fd, Libc.F_OFD_SETLK, ref whole);
            if (locked < 0)
            {
                _ = Libc.Close(fd);
                throw new IOException($"Cannot lock pid file: {Errno.Describe(locked)}");
            }

            // The former owner may have removed the file between our open and our lock: then it is not ours.
            if (Libc.Fstat(fd, out var mine) == 0 && Libc.Stat(path, out var there) == 0
                && (mine.Inode, mine.Device) == (there.Inode, there.Device))
            {
                Write(fd, path);
                return new PidFile(Path.GetFullPath(path), fd);
            }

            _ = Libc.Close(fd);
        }
    }

    /// <summary>Removes the file. <b>Any</b>; idempotent.</summary>
    public void Dispose()
    {
        var fd = Interlocked.Exchange(ref _fd, -1);
        if (fd >= 0)
        {
            _ = Libc.Unlink(_path);
            _ = Libc.Close(fd);
        }
    }

    private static void Write(int fd, string path)
    {
        var text = Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        fixed (byte* bytes = text)
        {
            long result = Libc.Ftruncate(fd, 0);
            result = result < 0 ? result : Libc.Pwrite(fd, bytes, (nuint)text.Length, 0);
            if (result < 0)
            {
                _ = Libc.Unlink(path);
                _ = Libc.Close(fd);
                throw new IOException($"Failed to write pid file '{path}': {Errno.Describe((int)result)}");
            }
        }
    }
}
