using Qmp.Aio;
using Qmp.Protocol;

namespace Qmp.Block.Drivers;

/// <summary>
/// Locks of an open image against other processes, on the bytes that QEMU uses: one byte for each permission that is
/// used, one for each that is not shared. Both kinds are read locks, so that they add up; a conflict is found by asking
/// who else has the opposite byte. They belong to the open file description: closing it drops them. Blocking calls.
/// </summary>
internal sealed class FileLocks(int fd, string fileName)
{
    private const long UsedBase = 100;
    private const long NotSharedBase = 200;
    private const int BitCount = 4;

    private BlockPermissions _used;
    private BlockPermissions _notShared;

    /// <summary>Whether these are others than what is held.</summary>
    public bool Differs(BlockPermissions used, BlockPermissions shared)
        => used != _used || (~shared & BlockPermissions.All) != _notShared;

    /// <summary>Takes what is missing and checks it. Throws with nothing taken.</summary>
    public void Acquire(BlockPermissions used, BlockPermissions shared)
    {
        var usedBefore = _used;
        var notSharedBefore = _notShared;
        try
        {
            Take(used, shared);
            Check(used & ~usedBefore, ~shared & BlockPermissions.All & ~notSharedBefore);
        }
        catch
        {
            Drop(usedBefore, ~notSharedBefore);
            throw;
        }
    }

    /// <summary>Takes what is missing without asking whom it hurts: for a second descriptor of the same user.</summary>
    public void Take(BlockPermissions used, BlockPermissions shared)
    {
        for (var bit = 0; bit < BitCount; bit++)
        {
            var permission = (BlockPermissions)(1 << bit);
            if (used.HasFlag(permission) && !_used.HasFlag(permission))
            {
                Set(Libc.F_RDLCK, UsedBase + bit);
                _used |= permission;
            }

            if (!shared.HasFlag(permission) && !_notShared.HasFlag(permission))
            {
                Set(Libc.F_RDLCK, NotSharedBase + bit);
                _notShared |= permission;
            }
        }
    }

    /// <summary>Keeps only these.</summary>
    public void Drop(BlockPermissions used, BlockPermissions shared)
    {
        for (var bit = 0; bit < BitCount; bit++)
        {
            var permission = (BlockPermissions)(1 << bit);
            if (_used.HasFlag(permission) && !used.HasFlag(permission))
            {
                Set(Libc.F_UNLCK, UsedBase + bit);
                _used &= ~permission;
            }

            if (_notShared.HasFlag(permission) && shared.HasFlag(permission))
            {
                Set(Libc.F_UNLCK, NotSharedBase + bit);
                _notShared &= ~permission;
            }
        }
    }

    private void Check(BlockPermissions used, BlockPermissions notShared)
    {
        for (var bit = 0; bit < BitCount; bit++)
        {
            if (used.HasFlag((BlockPermissions)(1 << bit)) && IsHeldByOther(NotSharedBase + bit))
            {
                throw Refused($"Failed to get \"{BlockPermissionNames.ByBit[bit]}\" lock");
            }
        }

        for (var bit = 0; bit < BitCount; bit++)
        {
            if (notShared.HasFlag((BlockPermissions)(1 << bit)) && IsHeldByOther(UsedBase + bit))
            {
                throw Refused($"Failed to get shared \"{BlockPermissionNames.ByBit[bit]}\" lock");
            }
        }
    }

    private bool IsHeldByOther(long start)
    {
        FileLock wanted = new() { Type = Libc.F_WRLCK, Whence = Libc.SEEK_SET, Start = start, Length = 1 };
        var result = Libc.FcntlLock(fd, Libc.F_OFD_GETLK, ref wanted);
        return result < 0
            ? throw new QmpException($"Failed to check locks of '{fileName}': {Errno.Describe(result)}")
            : wanted.Type != Libc.F_UNLCK;
    }

    private void Set(short type, long start)
    {
        FileLock wanted = new() { Type = type, Whence = Libc.SEEK_SET, Start = start, Length = 1 };
        var result = Libc.FcntlLock(fd, Libc.F_OFD_SETLK, ref wanted);
        if (result < 0 && type != Libc.F_UNLCK)
        {
            throw result is -Errno.EAGAIN or -Errno.EACCES
                ? Refused($"Failed to lock byte {start}")
                : new QmpException($"Failed to lock byte {start}: {Errno.Describe(result)}");
        }
    }

    private QmpException Refused(string text) => new(text) { Hint = $"Is another process using the image [{fileName}]?" };
}
