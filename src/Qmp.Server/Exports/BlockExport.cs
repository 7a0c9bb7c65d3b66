using Qmp.Block;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Descriptors;

namespace Qmp.Server.Exports;

/// <summary>
/// A block node served to others. To add a kind, derive from it in a file of its own and name it in
/// <see cref="ExportRegistry"/>. <b>Main</b>.
/// </summary>
/// <param name="options">What the user asked for.</param>
internal abstract class BlockExport(BlockExportOptions options)
{
    private BlockBackend? _backend;

    /// <summary>What the user asked for.</summary>
    public BlockExportOptions Options { get; } = options;

    /// <summary>Its use of the node, once started.</summary>
    public BlockBackend Backend
    {
        get => _backend!;
        set => _backend = value;
    }

    /// <summary>Whether it was asked to go away.</summary>
    public bool ShuttingDown { get; set; }

    /// <summary>What the block layer tells of drained sections, resizes and moves.</summary>
    public abstract IBlockBackendClient Client { get; }

    /// <summary>Whether it can be made of a node that is inactive.</summary>
    public virtual bool SupportsInactive => false;

    /// <summary>Whether it can spread over several iothreads.</summary>
    public virtual bool SupportsMultipleIoThreads => false;

    /// <summary>Checks what only this kind has, and takes addresses, before the node is touched.</summary>
    /// <param name="descriptors">Where addresses of type <c>fd</c> find their sockets.</param>
    /// <exception cref="QmpException">It cannot be made.</exception>
    public abstract void Prepare(ISocketDescriptors descriptors);

    /// <summary>Begins to serve; <see cref="Backend"/> is set.</summary>
    public abstract ValueTask StartAsync();

    /// <summary>Stops serving; completes when nothing is in flight. Also undoes <see cref="Prepare"/> alone. Idempotent.</summary>
    public abstract ValueTask StopAsync();
}
