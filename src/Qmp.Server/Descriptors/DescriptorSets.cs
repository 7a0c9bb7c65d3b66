using System.Globalization;
using System.Runtime.InteropServices;
using Qmp.Aio;
using Qmp.Block;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Descriptors;

/// <summary>
/// Sets of descriptors that clients passed in, which are opened as <c>/dev/fdset/N</c>, with QEMU's rules and errors.
/// They belong to the daemon and outlive their client. <b>Any</b>.
/// </summary>
internal sealed class DescriptorSets : IPassedFiles, IDisposable
{
    private const string Prefix = "/dev/fdset/";

    private readonly Lock _lock = new();
    private readonly SortedDictionary<long, DescriptorSet> _sets = [];

    /// <summary>Puts a descriptor into a set.</summary>
    /// <param name="descriptor">The descriptor, which is the set's from now on, or closed.</param>
    /// <param name="id">Number of the set; null for the lowest free one.</param>
    /// <param name="opaque">A text for whoever asks.</param>
    /// <exception cref="QmpException">The number is negative.</exception>
    public AddfdInfo Add(SafeHandle descriptor, long? id, string? opaque)
    {
        lock (_lock)
        {
            using (descriptor)
            {
                if (id < 0)
                {
                    throw new QmpException("Parameter 'fdset-id' expects a non-negative value");
                }

                var number = id ?? LowestFree();
                if (!_sets.TryGetValue(number, out var set))
                {
                    _sets.Add(number, set = new DescriptorSet());
                }

                var fd = (int)descriptor.DangerousGetHandle();
                descriptor.SetHandleAsInvalid();
                set.Add(fd, opaque);
                return new AddfdInfo { FdsetId = number, Fd = fd };
            }
        }
    }

    /// <summary>Takes one descriptor out of a set, or all.</summary>
    /// <returns>What the caller closes, which may take time.</returns>
    /// <exception cref="QmpException">There is none.</exception>
    public IReadOnlyList<int> Remove(long id, long? fd)
    {
        lock (_lock)
        {
            List<int> removed = [];
            if (!_sets.TryGetValue(id, out var set) || !set.TryRemove(fd, removed))
            {
                var what = fd is null ? "" : string.Create(CultureInfo.InvariantCulture, $", fd:{fd}");
                throw new QmpException(string.Create(CultureInfo.InvariantCulture, $"File descriptor named 'fdset-id:{id}{what}' not found"));
            }

            RemoveUnused(id, set);
            return removed;
        }
    }

    /// <summary>All sets, the highest number first.</summary>
    public IReadOnlyList<FdsetInfo> List()
    {
        lock (_lock)
        {
            return [.. _sets.Reverse().Select(set => new FdsetInfo { FdsetId = set.Key, Fds = set.Value.List() })];
        }
    }

    /// <inheritdoc/>
    public bool Owns(string fileName) => fileName.StartsWith(Prefix, StringComparison.Ordinal);

    /// <inheritdoc/>
    public int Open(string fileName, int flags, out string error)
    {
        // What QEMU's reader of numbers takes: 32 bits, with blanks and a sign before them.
        const NumberStyles Number = NumberStyles.AllowLeadingWhite | NumberStyles.AllowLeadingSign;
        if (!int.TryParse(fileName.AsSpan(Prefix.Length), Number, CultureInfo.InvariantCulture, out var id) || id < 0)
        {
            error = $"Could not parse fdset {fileName}";
            return -Errno.EINVAL;
        }

        int fd;
        lock (_lock)
        {
            if (!_sets.TryGetValue(id, out var set))
            {
                error = string.Create(CultureInfo.InvariantCulture, $"Failed to find fdset {Prefix}{id}");
                return -Errno.ENOENT;
            }

            fd = set.Open(flags, out error);
        }

        // Not under the lock, for which the main loop would wait: files are slow now and then.
        var result = fd < 0 ? 0 : DescriptorSet.Adapt(fd, flags);
        if (result < 0)
        {
            Close(fd);
            error = DescriptorSet.UseError(result);
            return result;
        }

        return fd;
    }

    /// <summary>Opens a file by a name that may be a path or that of a set.</summary>
    /// <param name="fileName">The name.</param>
    /// <param name="flags">As of open(2).</param>
    /// <param name="mode">Mode of a new file.</param>
    /// <param name="error">What is wrong with a set; null when nothing is, or when it is the path.</param>
    /// <returns>The descriptor, to be closed with <see cref="Close"/>, or a negative error number.</returns>
    public int OpenAny(string fileName, int flags, int mode, out string? error)
    {
        error = null;
        if (!Owns(fileName))
        {
            return Libc.Open(fileName, flags, mode);
        }

        var fd = Open(fileName, flags, out var why);
        error = fd < 0 ? why : null;
        return fd;
    }

    /// <inheritdoc/>
    /// <remarks>One that is none of ours is closed too.</remarks>
    public void Close(int fd)
    {
        lock (_lock)
        {
            foreach (var (id, set) in _sets)
            {
                if (set.Forget(fd))
                {
                    RemoveUnused(id, set);
                    break;
                }
            }
        }

        _ = Libc.Close(fd);
    }

    /// <summary>Closes the descriptors of all sets; what has opened them goes on. Idempotent.</summary>
    public void Dispose()
    {
        List<int> removed = [];
        lock (_lock)
        {
            foreach (var set in _sets.Values)
            {
                _ = set.TryRemove(null, removed);
            }

            _sets.Clear();
        }

        removed.ForEach(static fd => _ = Libc.Close(fd));
    }

    private long LowestFree()
    {
        var free = 0L;
        foreach (var id in _sets.Keys.TakeWhile(id => id == free))
        {
            free = id + 1;
        }

        return free;
    }

    private void RemoveUnused(long id, DescriptorSet set)
    {
        if (set.IsUnused)
        {
            _ = _sets.Remove(id);
        }
    }
}
