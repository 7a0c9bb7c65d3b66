using Qmp.Aio;
using Qmp.Protocol;

namespace Qmp.Block.Drivers;

/// <summary>An open image file and what was found out about it.</summary>
/// <param name="Fd">The descriptor.</param>
/// <param name="ReadOnly">Whether it was opened for reading only.</param>
/// <param name="IsRegular">A file, not a device.</param>
/// <param name="RequestAlignment">Unit of offsets and lengths in bytes.</param>
/// <param name="MemoryAlignment">Unit of addresses in bytes.</param>
/// <param name="Source">Whose descriptor it shares; null for one that was opened by its path.</param>
internal sealed record OpenFile(
    int Fd, bool ReadOnly, bool IsRegular, int RequestAlignment, int MemoryAlignment, IPassedFiles? Source);

/// <summary>Opens image files. Blocking calls, for a worker thread. Never creates or changes anything.</summary>
internal static unsafe class FileOpener
{
    private const int AlignmentMax = 4096;

    public static OpenFile Open(
        string fileName, bool readOnly, bool autoReadOnly, bool direct, bool isDevice, IPassedFiles? passedFiles)
    {
        var source = passedFiles?.Owns(fileName) == true ? passedFiles : null;
        if (source is null)
        {
            CheckKindBeforeOpen(fileName, isDevice);
        }

        var fd = TryOpen(fileName, readOnly, direct, source, out var error);
        if (fd is -Errno.EACCES or -Errno.EROFS or -Errno.EPERM && autoReadOnly && !readOnly)
        {
            readOnly = true;
            fd = TryOpen(fileName, readOnly, direct, source, out error);
        }

        return fd < 0 ? throw new QmpException(error) : Examine(fd, fileName, readOnly, direct, isDevice, source);
    }

    /// <summary>Opens the same file again, in another mode.</summary>
    public static OpenFile Reopen(OpenFile file, string fileName, bool readOnly, bool direct, bool isDevice)
    {
        if (file.Source is { } source)
        {
            var other = TryOpen(fileName, readOnly, direct, source, out var error);
            return other < 0 ? throw new QmpException(error) : Examine(other, fileName, readOnly, direct, isDevice, source);
        }

        // By descriptor, not by name: the name may mean another file by now.
        var again = Libc.Open($"/proc/self/fd/{file.Fd}", Flags(readOnly, direct));
        return again < 0
            ? throw new QmpException($"Could not reopen file: {Errno.Describe(again)}")
            : Examine(again, fileName, readOnly, direct, isDevice, null);
    }

    /// <summary>Closes a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="locks">Its locks; null for none.</param>
    public static int Close(OpenFile file, FileLocks? locks)
    {
        if (file.Source is not { } source)
        {
            return Libc.Close(file.Fd);
        }

        // Locks would stay: whoever passed the file has it open too.
        locks?.Drop(0, BlockPermissions.All);
        source.Close(file.Fd);
        return 0;
    }

    /// <summary>Length in bytes, or a negative error number.</summary>
    public static long LengthOf(OpenFile file)
    {
        if (!file.IsRegular)
        {
            return Libc.Lseek(file.Fd, 0, Libc.SEEK_END);
        }

        var result = Libc.Fstat(file.Fd, out var status);
        return result < 0 ? result : status.Size;
    }

    private static int TryOpen(string fileName, bool readOnly, bool direct, IPassedFiles? source, out string error)
    {
        if (source is not null)
        {
            return source.Open(fileName, Flags(readOnly, direct), out error);
        }

        var fd = Libc.Open(fileName, Flags(readOnly, direct));
        error = fd < 0 ? $"Could not open '{fileName}': {Errno.Describe(fd)}" : "";
        return fd;
    }

    private static int Flags(bool readOnly, bool direct) =>
        (direct ? Libc.O_DIRECT : 0) | (readOnly ? Libc.O_RDONLY : Libc.O_RDWR);

    /// <summary>Opening a pipe waits for its other end, so look before.</summary>
    private static void CheckKindBeforeOpen(string fileName, bool isDevice)
    {
        if (Libc.Stat(fileName, out var status) == 0
            && !status.IsRegular && !status.IsBlockDevice && !status.IsCharacterDevice && !status.IsDirectory)
        {
            throw WrongKind(fileName, isDevice);
        }
    }

    // Closes what cannot be used.
    private static OpenFile Examine(int fd, string fileName, bool readOnly, bool direct, bool isDevice, IPassedFiles? source)
    {
        OpenFile file = new(fd, readOnly, IsRegular: false, 1, 1, source);
        try
        {
            var result = Libc.Fstat(fd, out var status);
            if (result < 0)
            {
                throw new QmpException($"Could not stat '{fileName}': {Errno.Describe(result)}");
            }

            if (isDevice ? !status.IsBlockDevice && !status.IsCharacterDevice : !status.IsRegular)
            {
                throw WrongKind(fileName, isDevice);
            }

            var (request, memory) = direct ? Probe(fd) : (1, 1);
            return file with { IsRegular = status.IsRegular, RequestAlignment = request, MemoryAlignment = memory };
        }
        catch
        {
            _ = Close(file, null);
            throw;
        }
    }

    private static QmpException WrongKind(string fileName, bool isDevice) => new(isDevice
        ? $"'host_device' driver requires '{fileName}' to be either a character or block device"
        : $"'file' driver requires '{fileName}' to be a regular file");

    /// <summary>The smallest units that a read past the page cache takes.</summary>
    private static (int Request, int Memory) Probe(int fd)
    {
        var buffer = NativeBytes.Allocate(2 * AlignmentMax);
        try
        {
            var request = AlignmentMax;
            for (var size = 512; size < AlignmentMax; size *= 2)
            {
                if (Libc.Pread(fd, buffer, (nuint)size, 0) >= 0)
                {
                    request = size;
                    break;
                }
            }

            var memory = AlignmentMax;
            for (var start = 512; start < AlignmentMax; start *= 2)
            {
                if (Libc.Pread(fd, buffer + start, AlignmentMax, 0) >= 0)
                {
                    memory = start;
                    break;
                }
            }

            return (request, memory);
        }
        finally
        {
            NativeBytes.Free(buffer);
        }
    }
}
