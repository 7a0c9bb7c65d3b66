using System.Runtime.InteropServices;
using Qmp.Protocol;

namespace Qmp.Server.Descriptors;

/// <summary>
/// The descriptors that clients of one monitor have named (<c>getfd</c>). As in QEMU they outlive their client: scripts
/// connect anew for each command. They end when something takes them, or with the monitor. <b>Main</b>.
/// </summary>
internal sealed class NamedDescriptors : ISocketDescriptors, IDisposable
{
    private readonly Dictionary<string, SafeHandle> _descriptors = new(StringComparer.Ordinal);

    /// <summary>Gives a name to a descriptor; one that had it is closed.</summary>
    public void Add(string name, SafeHandle descriptor)
    {
        _ = TryClose(name);
        _descriptors.Add(name, descriptor);
    }

    /// <summary>Closes a descriptor.</summary>
    /// <returns>Whether there is one of that name.</returns>
    public bool TryClose(string name)
    {
        if (_descriptors.Remove(name, out var descriptor))
        {
            descriptor.Dispose();
            return true;
        }

        return false;
    }

    /// <inheritdoc/>
    /// <remarks>One that is no socket is closed, as in QEMU.</remarks>
    public int Take(string text)
    {
        if (!_descriptors.Remove(text, out var descriptor))
        {
            throw new QmpException($"File descriptor named '{text}' has not been found");
        }

        using (descriptor)
        {
            var fd = (int)descriptor.DangerousGetHandle();
            InheritedDescriptors.CheckSocket(fd, text);
            descriptor.SetHandleAsInvalid();
            return fd;
        }
    }

    /// <summary>Closes all. Idempotent.</summary>
    public void Dispose()
    {
        foreach (var descriptor in _descriptors.Values)
        {
            descriptor.Dispose();
        }

        _descriptors.Clear();
    }
}
