using System.Buffers.Binary;
using System.Text;
using Qmp.Aio;
using Qmp.Protocol;

namespace Qmp.Server.Objects;

/// <summary>
/// Tells when a file was written or replaced. What is watched is its folder, so the file may be renamed into place.
/// <b>Loop</b>.
/// </summary>
internal sealed unsafe class FileWatch : IDisposable
{
    // struct inotify_event: watch, mask, cookie, length of the name, and the name with zeroes behind it.
    private const int HeaderBytes = 16;
    private const int BufferBytes = 4096;

    private readonly int _fd;
    private readonly byte[] _name;
    private readonly Action _changed;
    private readonly AioWatch _watch;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private bool _isDisposed;

    /// <summary>Watches a file on the current loop.</summary>
    /// <param name="path">Its path; the file itself need not be there.</param>
    /// <param name="changed">Called after each change.</param>
    /// <exception cref="QmpException">There is no such folder, or the system has no watches left.</exception>
    public FileWatch(string path, Action changed)
    {
        _name = Encoding.UTF8.GetBytes(Path.GetFileName(path));
        if (_name.Length == 0)
        {
            throw new QmpException("Path has no trailing filename component");
        }

        _changed = changed;
        _fd = Libc.InotifyInit();
        if (_fd < 0)
        {
            throw new QmpException("Unable to initialize inotify: " + Errno.Describe(_fd));
        }

        var folder = Path.GetDirectoryName(path) is { Length: > 0 } name ? name : ".";
        var result = Libc.InotifyAddWatch(_fd, folder, Libc.IN_CLOSE_WRITE | Libc.IN_MOVED_TO);
        if (result < 0)
        {
            _ = Libc.Close(_fd);
            throw new QmpException($"Unable to watch '{folder}': {Errno.Describe(result)}");
        }

        _watch = AioContext.Current!.Watch(_fd, AioEvents.In, _ => Drain());
    }

    /// <summary>Stops.</summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _watch.Dispose();
            _ = Libc.Close(_fd);
        }
    }

    private void Drain()
    {
        long count;
        fixed (byte* buffer = _buffer)
        {
            count = Libc.Read(_fd, buffer, BufferBytes);
        }

        var rest = _buffer.AsSpan(0, (int)Math.Max(0, count));
        var hasChanged = false;
        while (rest.Length >= HeaderBytes)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest[12..]);
            hasChanged |= rest.Slice(HeaderBytes, length).TrimEnd((byte)0).SequenceEqual(_name);
            rest = rest[(HeaderBytes + length)..];
        }

        if (hasChanged)
        {
            _changed();
        }
    }
}
