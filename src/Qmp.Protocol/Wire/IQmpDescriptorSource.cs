using System.Runtime.InteropServices;

namespace Qmp.Protocol.Wire;

/// <summary>Descriptors that a client passes along with its bytes.</summary>
public interface IQmpDescriptorSource
{
    /// <summary>Takes what came with the bytes before a position: the last one; those before it are closed.</summary>
    /// <param name="position">Bytes from the beginning of the connection; it does not go back.</param>
    /// <returns>The descriptor, which is the caller's from now on; null when none came since the last call.</returns>
    SafeHandle? TakeBefore(long position);
}
