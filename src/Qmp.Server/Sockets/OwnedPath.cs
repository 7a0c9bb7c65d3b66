using System.Collections.Concurrent;
using Qmp.Aio;

namespace Qmp.Server.Sockets;

/// <summary>A name in the file system that goes with the daemon: that of a socket, or a link. <b>Any</b>.</summary>
internal sealed class OwnedPath : IDisposable
{
    // All of the process, for an end in haste.
    private static readonly ConcurrentDictionary<OwnedPath, bool> s_all = new();

    private readonly string _path;
    private readonly bool _isLink;
    private readonly (ulong Inode, ulong Device) _identity;
    private int _isDisposed;

    private OwnedPath(string path, bool isLink, (ulong Inode, ulong Device) identity)
    {
        _path = Path.GetFullPath(path);
        _isLink = isLink;
        _identity = identity;
        s_all[this] = true;
    }

    /// <summary>Takes a name over: it is removed at the end only if it still leads to what it leads to now.</summary>
    public static OwnedPath Of(string path) =>
        new(path, false, Libc.Stat(path, out var status) == 0 ? (status.Inode, status.Device) : default);

    /// <summary>Takes the name of a symbolic link over.</summary>
    public static OwnedPath OfLink(string path) => new(path, true, default);

    /// <summary>Removes all names, for an end in haste. Throws nothing.</summary>
    public static void RemoveAll()
    {
        foreach (var path in s_all.Keys)
        {
            path.Dispose();
        }
    }

    /// <summary>Removes the name. Idempotent.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            s_all.TryRemove(this, out _);
            if (_isLink || (Libc.Stat(_path, out var status) == 0 && (status.Inode, status.Device) == _identity))
            {
                _ = Libc.Unlink(_path);
            }
        }
    }
}
