using System.Runtime.InteropServices;
using Qmp.Aio;

namespace Qmp.Virtio.Queues;

/// <summary>
/// One descriptor chain taken from a queue, as pointers into guest memory: first what the device reads, then what it
/// writes. Lives in native memory, one per queue entry, two cache lines each.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct VirtqueueChain
{
    /// <summary>Segments that fit without the slot's overflow list: header, status and up to four pieces of data.</summary>
    public const int InlineSegments = 6;

    /// <summary>All segments: <see cref="OutCount"/> that the device reads, then <see cref="InCount"/> that it writes.</summary>
    public Iovec* Segments;

    /// <summary>Bytes that the device reads.</summary>
    public uint OutBytes;

    /// <summary>Bytes that the device writes.</summary>
    public uint InBytes;

    /// <summary>Number of segments that the device reads.</summary>
    public ushort OutCount;

    /// <summary>Number of segments that the device writes.</summary>
    public ushort InCount;

    /// <summary>Descriptor index of the head (split) or buffer id (packed): what the used ring names.</summary>
    public ushort Id;

    /// <summary>Ring entries that the chain occupies (packed), 1 for an indirect one.</summary>
    public ushort RingEntries;

    /// <summary>Head entry in the in-flight region (packed).</summary>
    public ushort InflightHead;

    /// <summary>True from the moment the chain is taken until its used entry is published.</summary>
    public bool Busy;

    private Iovec _inline0;
    private Iovec _inline1;
    private Iovec _inline2;
    private Iovec _inline3;
    private Iovec _inline4;
    private Iovec _inline5;

    /// <summary>The inline list of a chain in native memory.</summary>
    public static Iovec* Inline(VirtqueueChain* chain) => &chain->_inline0;
}
