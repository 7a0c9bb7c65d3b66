using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Block;

/// <summary>The options that any node takes, with what is not said taken from the parent that the node is made for.</summary>
internal sealed record NodeSettings(
    bool ReadOnly,
    bool AutoReadOnly,
    bool CacheDirect,
    bool CacheNoFlush,
    bool ForceShare,
    bool DiscardUnmap,
    BlockdevDetectZeroesOptions DetectZeroes,
    bool Active)
{
    /// <exception cref="QmpException">They contradict each other.</exception>
    public static NodeSettings Of(BlockdevOptions options, NodeSettings? parent)
    {
        NodeSettings settings = new(
            options.ReadOnly ?? parent?.ReadOnly ?? false,
            options.AutoReadOnly ?? parent?.AutoReadOnly ?? false,
            options.Cache?.Direct ?? parent?.CacheDirect ?? false,
            options.Cache?.NoFlush ?? parent?.CacheNoFlush ?? false,
            options.ForceShare ?? parent?.ForceShare ?? false,

            // A format decides itself what it discards in its file.
            (options.Discard ?? (parent is null ? BlockdevDiscardOptions.Ignore : BlockdevDiscardOptions.Unmap)) == BlockdevDiscardOptions.Unmap,
            options.DetectZeroes ?? BlockdevDetectZeroesOptions.Off,
            options.Active ?? parent?.Active ?? true);

        if (settings.ForceShare && !settings.ReadOnly)
        {
            throw new QmpException("force-share=on can only be used with read-only images");
        }

        if (settings.DetectZeroes == BlockdevDetectZeroesOptions.Unmap && !settings.DiscardUnmap)
        {
            throw new QmpException("setting detect-zeroes to unmap is not allowed without setting discard operation to unmap");
        }

        return settings;
    }

    /// <summary>What a node has now.</summary>
    public static NodeSettings Of(BlockNode node) => new(
        node.ReadOnly,
        node.AutoReadOnly,
        node.CacheDirect,
        node.CacheNoFlush,
        node.ForceShare,
        node.DiscardUnmap,
        node.DetectZeroes,
        node.Active);

    public void ApplyTo(BlockNode node)
    {
        node.ReadOnly = ReadOnly;
        node.AutoReadOnly = AutoReadOnly;
        node.CacheDirect = CacheDirect;
        node.CacheNoFlush = CacheNoFlush;
        node.ForceShare = ForceShare;
        node.DiscardUnmap = DiscardUnmap;
        node.DetectZeroes = DetectZeroes;
        node.Active = Active;
    }
}
