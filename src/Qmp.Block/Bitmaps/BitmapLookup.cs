using Qmp.Protocol;

namespace Qmp.Block;

/// <summary>Finds bitmaps by the names that commands give.</summary>
public static class BitmapLookup
{
    /// <summary>The bitmap, or QEMU's error. <b>Main</b>.</summary>
    /// <exception cref="QmpException">The node or the bitmap does not exist.</exception>
    public static DirtyBitmap FindBitmap(this BlockGraph graph, string nodeName, string name)
    {
        var node = graph.TryFind(nodeName) ?? throw new QmpException($"Node '{nodeName}' not found");
        return node.TryFindBitmap(name) ?? throw new QmpException($"Dirty bitmap '{name}' not found");
    }
}
