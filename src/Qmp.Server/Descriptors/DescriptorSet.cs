using System.Globalization;
using Qmp.Aio;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Descriptors;

/// <summary>Descriptors of which the one is used that fits the wanted access. Not thread-safe.</summary>
internal sealed class DescriptorSet
{
    // What is switched on the shared description to what is asked for, because open(2) would have set it.
    private const int SettableFlags = Libc.O_APPEND | Libc.O_NONBLOCK;

    private readonly List<FdsetFdInfo> _descriptors = [];
    private readonly HashSet<int> _copies = [];

    /// <summary>Whether it has no descriptors and nobody has any from it.</summary>
    public bool IsUnused => _descriptors.Count == 0 && _copies.Count == 0;

    /// <summary>Takes a descriptor over.</summary>
    public void Add(int fd, string? opaque) => _descriptors.Add(new FdsetFdInfo { Fd = fd, Opaque = opaque });

    /// <summary>What it has, the oldest first.</summary>
    public IReadOnlyList<FdsetFdInfo> List() => [.. _descriptors];

    /// <summary>Gives up a descriptor, or with null all.</summary>
    /// <param name="fd">Which one.</param>
    /// <param name="removed">Gets those that the caller closes.</param>
    /// <returns>False when there is no such descriptor.</returns>
    public bool TryRemove(long? fd, List<int> removed)
    {
        var found = _descriptors.FindAll(descriptor => fd is null || descriptor.Fd == fd);
        foreach (var descriptor in found)
        {
            _ = _descriptors.Remove(descriptor);
            removed.Add((int)descriptor.Fd);
        }

        return fd is null || found.Count > 0;
    }

    /// <summary>Makes a copy of the newest descriptor whose access mode is the wanted one. <see cref="Adapt"/> comes next.</summary>
    /// <param name="flags">As of open(2).</param>
    /// <param name="error">What is wrong, when something is.</param>
    /// <returns>The copy, or a negative error number.</returns>
    public int Open(int flags, out string error)
    {
        var match = Libc.O_ACCMODE | Libc.O_DIRECT;
        if (_descriptors.FindLast(d => (Libc.Fcntl((int)d.Fd, Libc.F_GETFL) & match) == (flags & match)) is not { } found)
        {
            error = string.Create(CultureInfo.InvariantCulture, $"Failed to find file descriptor with matching flags=0x{flags:x}");
            return -Errno.EACCES;
        }

        var copy = Libc.Duplicate((int)found.Fd);
        if (copy < 0)
        {
            error = UseError(copy);
            return copy;
        }

        error = "";
        _ = _copies.Add(copy);
        return copy;
    }

    /// <summary>A copy is about to be closed.</summary>
    /// <returns>Whether it is one of this set.</returns>
    public bool Forget(int copy) => _copies.Remove(copy);

    /// <summary>Text of an error.</summary>
    public static string UseError(int error) => $"Failed to use file descriptor: {Errno.Describe(error)}";

    /// <summary>Does to a copy what open(2) would have done. May take time.</summary>
    public static int Adapt(int fd, int flags)
    {
        var old = Libc.Fcntl(fd, Libc.F_GETFL);
        var wanted = (old & ~SettableFlags) | (flags & SettableFlags);
        var result = old == wanted ? 0 : Libc.Fcntl(fd, Libc.F_SETFL, wanted);
        return result >= 0 && (flags & Libc.O_TRUNC) != 0 ? Libc.Ftruncate(fd, 0) : result;
    }
}
