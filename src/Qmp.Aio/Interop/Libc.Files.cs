using System.Runtime.InteropServices;

namespace Qmp.Aio;

/// <summary>What <c>statx</c> says about a file. Sizes in bytes unless said.</summary>
public readonly record struct FileStatus(
    uint Mode,
    long Size,
    long AllocatedBytes,
    uint BlockSize,
    ulong Inode,
    ulong Device,
    ulong RawDevice,
    uint LinkCount,
    long ModifiedSeconds,
    uint ModifiedNanoseconds,
    uint OwnerId)
{
    /// <summary>Whether this is a regular file.</summary>
    public bool IsRegular => (Mode & 0xF000) == 0x8000;

    /// <summary>Whether this is a block device.</summary>
    public bool IsBlockDevice => (Mode & 0xF000) == 0x6000;

    /// <summary>Whether this is a character device.</summary>
    public bool IsCharacterDevice => (Mode & 0xF000) == 0x2000;

    /// <summary>Whether this is a directory.</summary>
    public bool IsDirectory => (Mode & 0xF000) == 0x4000;

    /// <summary>Whether this is a socket.</summary>
    public bool IsSocket => (Mode & 0xF000) == 0xC000;
}

/// <summary>A byte range lock, laid out as <c>struct flock</c> of 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FileLock
{
    /// <summary><see cref="Libc.F_RDLCK"/>, <see cref="Libc.F_WRLCK"/> or <see cref="Libc.F_UNLCK"/>.</summary>
    public short Type;

    /// <summary>What <see cref="Start"/> counts from; 0 is the start of the file.</summary>
    public short Whence;

    /// <summary>First byte.</summary>
    public long Start;

    /// <summary>Number of bytes; 0 is up to the end.</summary>
    public long Length;

    /// <summary>Owner; must be 0 for locks of an open file description.</summary>
    public int Pid;
}

public static unsafe partial class Libc
{
#pragma warning disable CS1591 // Names of the system's own constants, documented in its manual pages.
    public const int O_RDONLY = 0;
    public const int O_WRONLY = 1;
    public const int O_RDWR = 2;
    public const int O_ACCMODE = 3;
    public const int O_CREAT = 0x40;
    public const int O_EXCL = 0x80;
    public const int O_NOCTTY = 0x100;
    public const int O_TRUNC = 0x200;
    public const int O_APPEND = 0x400;
    public const int O_NONBLOCK = 0x800;
    public const int O_DSYNC = 0x1000;
    public const int O_CLOEXEC = 0x80000;
    public const int O_TMPFILE = 0x410000;

    // Two flags whose numbers differ between processors.
    public static readonly int O_DIRECT = IsArm ? 0x10000 : 0x4000;
    public static readonly int O_NOFOLLOW = IsArm ? 0x8000 : 0x20000;
    public static readonly int O_DIRECTORY = IsArm ? 0x4000 : 0x10000;

    public const int SEEK_SET = 0;
    public const int SEEK_CUR = 1;
    public const int SEEK_END = 2;
    public const int SEEK_DATA = 3;
    public const int SEEK_HOLE = 4;

    public const int RWF_DSYNC = 2;
    public const int RWF_NOWAIT = 8;

    public const int FALLOC_FL_KEEP_SIZE = 1;
    public const int FALLOC_FL_PUNCH_HOLE = 2;
    public const int FALLOC_FL_ZERO_RANGE = 0x10;

    public const int F_DUPFD = 0;
    public const int F_GETFD = 1;
    public const int F_SETFD = 2;
    public const int F_GETFL = 3;
    public const int F_SETFL = 4;
    public const int F_OFD_GETLK = 36;
    public const int F_OFD_SETLK = 37;
    public const int F_DUPFD_CLOEXEC = 1030;
    public const int F_ADD_SEALS = 1033;
    public const int F_GET_SEALS = 1034;
    public const int FD_CLOEXEC = 1;

    public const short F_RDLCK = 0;
    public const short F_WRLCK = 1;
    public const short F_UNLCK = 2;

    public const int POSIX_FADV_DONTNEED = 4;

    public const uint IN_CLOSE_WRITE = 8;
    public const uint IN_MOVED_TO = 0x80;
#pragma warning restore CS1591

    private const int AtFdCwd = -100;
    private const int AtEmptyPath = 0x1000;
    private const uint StatxBasic = 0x7ff;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm64;

    /// <summary>Opens a file; the descriptor, or the negative error number. <see cref="O_CLOEXEC"/> is always added.</summary>
    public static int Open(string path, int flags, int mode = 0) => Result(open(path, flags | O_CLOEXEC, mode));

    /// <summary>Closes a descriptor. An interrupted close has closed it: never repeat.</summary>
    public static int Close(int fd) => Result(close(fd));

    /// <summary>Duplicates a descriptor, close-on-exec.</summary>
    public static int Duplicate(int fd) => Result(fcntl(fd, F_DUPFD_CLOEXEC, 0));

    /// <summary>Status of an open file.</summary>
    public static int Fstat(int fd, out FileStatus status) => Statx(fd, string.Empty, AtEmptyPath, out status);

    /// <summary>Status of a path, following links.</summary>
    public static int Stat(string path, out FileStatus status) => Statx(AtFdCwd, path, 0, out status);

    /// <summary>Reads at an offset.</summary>
    public static long Pread(int fd, void* buffer, nuint count, long offset) => Result((long)pread(fd, buffer, count, offset));

    /// <summary>Writes at an offset.</summary>
    public static long Pwrite(int fd, void* buffer, nuint count, long offset) => Result((long)pwrite(fd, buffer, count, offset));

    /// <summary>Reads segments at an offset, with <c>RWF_*</c> flags.</summary>
    public static long Preadv(int fd, Iovec* segments, int count, long offset, int flags)
        => HotResult((long)(flags == 0 ? preadv(fd, segments, count, offset) : preadv2(fd, segments, count, offset, flags)));

    /// <summary>Writes segments at an offset, with <c>RWF_*</c> flags.</summary>
    public static long Pwritev(int fd, Iovec* segments, int count, long offset, int flags)
        => HotResult((long)(flags == 0 ? pwritev(fd, segments, count, offset) : pwritev2(fd, segments, count, offset, flags)));

    /// <summary>Reads from a stream.</summary>
    public static long Read(int fd, void* buffer, nuint count) => HotResult((long)read(fd, buffer, count));

    /// <summary>Writes to a stream.</summary>
    public static long Write(int fd, void* buffer, nuint count) => HotResult((long)write(fd, buffer, count));

    /// <summary>Reads into a span; bytes, zero at the end, or the negative error number.</summary>
    public static long Read(int fd, Span<byte> buffer)
    {
        fixed (byte* p = buffer)
        {
            return Read(fd, p, (nuint)buffer.Length);
        }
    }

    /// <summary>Writes a span, perhaps not all of it; bytes or the negative error number.</summary>
    public static long Write(int fd, ReadOnlySpan<byte> buffer)
    {
        fixed (byte* p = buffer)
        {
            return Write(fd, p, (nuint)buffer.Length);
        }
    }

    /// <summary>Writes back data and metadata.</summary>
    public static int Fsync(int fd) => Result(fsync(fd));

    /// <summary>Writes back data and the metadata that reading it needs.</summary>
    public static int Fdatasync(int fd) => Result(fdatasync(fd));

    /// <summary>Sets the length of a file in bytes.</summary>
    public static int Ftruncate(int fd, long length) => Result(ftruncate(fd, length));

    /// <summary>Allocates, punches or zeroes a range.</summary>
    public static int Fallocate(int fd, int mode, long offset, long length) => Result(fallocate(fd, mode, offset, length));

    /// <summary>Moves the file position; with <see cref="SEEK_DATA"/> and <see cref="SEEK_HOLE"/> finds extents.</summary>
    public static long Lseek(int fd, long offset, int whence) => Result(lseek(fd, offset, whence));

    /// <summary>Advice about the page cache.</summary>
    public static int Fadvise(int fd, long offset, long length, int advice) => -posix_fadvise(fd, offset, length, advice);

    /// <summary><c>fcntl</c> with an integer argument.</summary>
    public static int Fcntl(int fd, int command, long argument = 0) => Result(fcntl(fd, command, (nint)argument));

    /// <summary><c>fcntl</c> with a lock, for the <c>F_OFD_*</c> commands.</summary>
    public static int FcntlLock(int fd, int command, ref FileLock fileLock)
    {
        fixed (FileLock* p = &fileLock)
        {
            return Result(fcntl(fd, command, (nint)p));
        }
    }

    /// <summary><c>ioctl</c> with a pointer or integer argument.</summary>
    public static int Ioctl(int fd, ulong request, nint argument) => Result(ioctl(fd, (nuint)request, argument));

    /// <summary>Switches <see cref="O_NONBLOCK"/> on the open file description.</summary>
    public static int SetNonBlocking(int fd, bool nonBlocking)
    {
        var flags = Fcntl(fd, F_GETFL);
        if (flags < 0)
        {
            return flags;
        }

        var wanted = nonBlocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
        return wanted == flags ? 0 : Fcntl(fd, F_SETFL, wanted);
    }

    /// <summary>Removes a name.</summary>
    public static int Unlink(string path) => Result(unlink(path));

    /// <summary>Changes the permissions of a path.</summary>
    public static int Chmod(string path, uint mode) => Result(chmod(path, mode));

    /// <summary>Changes the permissions of an open file; of a Unix socket before it is bound: those of its name.</summary>
    public static int Fchmod(int fd, uint mode) => Result(fchmod(fd, mode));

    /// <summary>Sets the mask for permissions of new files; the old mask.</summary>
    public static int Umask(int mask) => umask(mask);

    /// <summary>Makes a pipe, close-on-exec; <paramref name="flags"/> may add <see cref="O_NONBLOCK"/>.</summary>
    public static int Pipe(out int readEnd, out int writeEnd, int flags = 0)
    {
        var ends = stackalloc int[2];
        var result = Result(pipe2(ends, flags | O_CLOEXEC));
        readEnd = result < 0 ? -1 : ends[0];
        writeEnd = result < 0 ? -1 : ends[1];
        return result;
    }

    /// <summary>Makes a descriptor that tells of changes in folders; close-on-exec, non-blocking.</summary>
    public static int InotifyInit() => Result(inotify_init1(O_CLOEXEC | O_NONBLOCK));

    /// <summary>Watches a folder for events <c>IN_*</c>; the watch's number.</summary>
    public static int InotifyAddWatch(int fd, string path, uint events) => Result(inotify_add_watch(fd, path, events));

    /// <summary>Whether a text matches a pattern of the shell (<c>* ? [...]</c>, backslash), in which no character is special.</summary>
    public static bool MatchesGlob(string pattern, string text) => fnmatch(pattern, text, 0) == 0;

    private static int Statx(int dirFd, string path, int flags, out FileStatus status)
    {
        StatxBuffer s = default;
        var result = Result(statx(dirFd, path, flags, StatxBasic, &s));
        status = result < 0
            ? default
            : new FileStatus(
                s.Mode,
                (long)s.Size,
                (long)s.Blocks * 512,
                s.BlockSize,
                s.Inode,
                Device(s.DeviceMajor, s.DeviceMinor),
                Device(s.RawDeviceMajor, s.RawDeviceMinor),
                s.Links,
                s.ModifiedSeconds,
                s.ModifiedNanoseconds,
                s.Owner);
        return result;
    }

    private static ulong Device(uint major, uint minor) => ((ulong)major << 32) | minor;

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxBuffer
    {
        [FieldOffset(4)] public uint BlockSize;
        [FieldOffset(16)] public uint Links;
        [FieldOffset(20)] public uint Owner;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(48)] public ulong Blocks;
        [FieldOffset(112)] public long ModifiedSeconds;
        [FieldOffset(120)] public uint ModifiedNanoseconds;
        [FieldOffset(128)] public uint RawDeviceMajor;
        [FieldOffset(132)] public uint RawDeviceMinor;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int close(int fd);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int dirFd, string path, int flags, uint mask, StatxBuffer* buffer);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint pread(int fd, void* buffer, nuint count, long offset);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint pwrite(int fd, void* buffer, nuint count, long offset);

    [LibraryImport(Library)]
    private static partial nint preadv(int fd, Iovec* segments, int count, long offset);

    [LibraryImport(Library)]
    private static partial nint pwritev(int fd, Iovec* segments, int count, long offset);

    [LibraryImport(Library)]
    private static partial nint preadv2(int fd, Iovec* segments, int count, long offset, int flags);

    [LibraryImport(Library)]
    private static partial nint pwritev2(int fd, Iovec* segments, int count, long offset, int flags);

    [LibraryImport(Library)]
    private static partial nint read(int fd, void* buffer, nuint count);

    [LibraryImport(Library)]
    private static partial nint write(int fd, void* buffer, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int fsync(int fd);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int fdatasync(int fd);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int ftruncate(int fd, long length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int fallocate(int fd, int mode, long offset, long length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial long lseek(int fd, long offset, int whence);

    [LibraryImport(Library)]
    private static partial int posix_fadvise(int fd, long offset, long length, int advice);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int fcntl(int fd, int command, nint argument);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, nint argument);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlink(string path);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chmod(string path, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int fchmod(int fd, uint mode);

    [LibraryImport(Library)]
    private static partial int umask(int mask);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int inotify_init1(int flags);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int inotify_add_watch(int fd, string path, uint events);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int fnmatch(string pattern, string text, int flags);
}
