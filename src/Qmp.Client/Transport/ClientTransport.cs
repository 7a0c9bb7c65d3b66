using System.IO.Pipelines;
using System.Runtime.InteropServices;

namespace Qmp.Client;

/// <summary>Bytes to and from a server. One reader, one sender at a time.</summary>
internal abstract class ClientTransport : IAsyncDisposable
{
    public abstract PipeReader Input { get; }

    /// <summary>Whether descriptors can be passed.</summary>
    public virtual bool CanPassDescriptors => false;

    /// <summary>Sends bytes; completes when they are out of the caller's hands.</summary>
    /// <param name="bytes">The bytes, at least one.</param>
    /// <param name="descriptors">What goes along with the first of them.</param>
    public abstract ValueTask SendAsync(ReadOnlyMemory<byte> bytes, IReadOnlyList<SafeHandle> descriptors);

    /// <summary>Closes at once: a read that waits ends.</summary>
    public abstract ValueTask DisposeAsync();
}
