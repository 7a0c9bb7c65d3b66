using Qmp.Aio;

namespace Qmp.Virtio.Memory;

/// <summary>
/// A shared mapping of a descriptor that somebody else passed: size checked when mapped, guarded against truncation
/// afterwards (<see cref="GuestFaultGuard"/>). Owns the mapping, not the descriptor.
/// </summary>
internal sealed unsafe class SharedMapping : IDisposable
{
    private readonly byte* _map;
    private readonly nuint _mapLength;
    private readonly int _guard;
    private bool _disposed;

    private SharedMapping(byte* map, nuint mapLength, byte* start, int guard)
    {
        _map = map;
        _mapLength = mapLength;
        Start = start;
        _guard = guard;
    }

    /// <summary>The first byte asked for.</summary>
    public byte* Start { get; }

    /// <summary>True when the memory was truncated under us; what is there now is private and zero.</summary>
    public bool HasVanished => GuestFaultGuard.HasVanished(_guard);

    /// <summary>Maps <paramref name="length"/> bytes at <paramref name="offset"/> of a file. Any thread.</summary>
    /// <param name="fd">The file; may be closed afterwards.</param>
    /// <param name="offset">Offset in bytes; need not be a multiple of the page size.</param>
    /// <param name="length">Length in bytes, not 0.</param>
    /// <param name="mapping">The mapping, when the result is 0.</param>
    /// <returns>0 or -errno; -EINVAL when the file does not hold the range, now or at all.</returns>
    public static int TryMap(int fd, ulong offset, ulong length, out SharedMapping? mapping)
    {
        mapping = null;
        if (length == 0 || offset + length < offset || offset + length > long.MaxValue)
        {
            return -Errno.EINVAL;
        }

        int result = Libc.Fstat(fd, out FileStatus status);
        if (result != 0)
        {
            return result;
        }
        if (status.IsRegular && (ulong)status.Size < offset + length)
        {
            return -Errno.EINVAL;
        }

        // Huge pages can be mapped and unmapped only at their own boundaries, and report their size as block size.
        ulong page = Math.Max((uint)Environment.SystemPageSize, status.BlockSize);
        if ((page & (page - 1)) != 0 || page > 1UL << 30)
        {
            page = (ulong)Environment.SystemPageSize;
        }
        ulong from = offset & ~(page - 1);
        ulong to = (offset + length + page - 1) & ~(page - 1);
        byte* map = (byte*)Libc.Mmap(
            (nuint)(to - from), Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED | Libc.MAP_NORESERVE, fd, (long)from, out result);
        if (map == null)
        {
            return result;
        }
        // A core dump of the daemon must not carry the guest's memory.
        _ = Libc.Madvise(map, (nuint)(to - from), Libc.MADV_DONTDUMP);

        int guard = GuestFaultGuard.Register(map, (nuint)(to - from));
        if (guard < 0)
        {
            _ = Libc.Munmap(map, (nuint)(to - from));
            return -Errno.ENOMEM;
        }
        mapping = new SharedMapping(map, (nuint)(to - from), map + (offset - from), guard);
        return 0;
    }

    /// <summary>Unmaps. The caller sees to it that no request still uses the memory.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        // Unmapped first: the addresses may be given to somebody else at once, and a fault there is not ours to hide.
        _ = Libc.Munmap(_map, _mapLength);
        GuestFaultGuard.Unregister(_guard);
    }
}
