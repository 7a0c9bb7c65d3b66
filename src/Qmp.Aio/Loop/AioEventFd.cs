namespace Qmp.Aio;

/// <summary>An event counter of the kernel, our own or received from a peer. Always non-blocking.</summary>
public sealed unsafe class AioEventFd : IDisposable
{
    private int _fd;

    /// <summary>Makes a new one. Throws <see cref="IOException"/> if the process has no descriptors left.</summary>
    public AioEventFd()
    {
        _fd = Libc.EventFd();
        if (_fd < 0)
        {
            throw new IOException($"Could not create an eventfd: {Errno.Describe(_fd)}");
        }
    }

    /// <summary>Takes ownership of <paramref name="fd"/> and makes it non-blocking, so that a hostile peer cannot stop a loop with a full counter.</summary>
    public AioEventFd(int fd)
    {
        _fd = fd;
        _ = Libc.SetNonBlocking(fd, true);
    }

    /// <summary>The descriptor; -1 after <see cref="Dispose"/>.</summary>
    public int Fd => _fd;

    /// <summary>Adds one. <b>Any</b>. A full or closed counter is ignored: who reads it will wake anyway.</summary>
    public void Signal()
    {
        var one = 1ul;
        while (Libc.Write(_fd, &one, sizeof(ulong)) == -Errno.EINTR)
        {
        }
    }

    /// <summary>Reads and clears the counter; false if it was zero. <b>Any</b>.</summary>
    public bool Drain()
    {
        ulong value;
        long result;
        do
        {
            result = Libc.Read(_fd, &value, sizeof(ulong));
        }
        while (result == -Errno.EINTR);
        return result == sizeof(ulong);
    }

    /// <summary>Closes the descriptor. No thread may be using it.</summary>
    public void Dispose()
    {
        var fd = Interlocked.Exchange(ref _fd, -1);
        if (fd >= 0)
        {
            _ = Libc.Close(fd);
        }
    }
}
