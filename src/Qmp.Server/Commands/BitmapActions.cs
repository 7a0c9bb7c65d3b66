using Qmp.Block;
using Qmp.Protocol.Schema;
using TransactionAction = Qmp.Block.TransactionAction;

namespace Qmp.Server.Commands;

/// <summary>Makes the actions of the block layer from arguments of the bitmap commands.</summary>
internal static class BitmapActions
{
    internal static TransactionAction Add(BlockDirtyBitmapAdd arguments) => new BitmapAddAction(
        arguments.Node, arguments.Name, arguments.Granularity, arguments.Persistent ?? false, arguments.Disabled ?? false);

    internal static TransactionAction Remove(BlockDirtyBitmap arguments) => new BitmapRemoveAction(arguments.Node, arguments.Name);

    internal static TransactionAction Clear(BlockDirtyBitmap arguments) => new BitmapClearAction(arguments.Node, arguments.Name);

    internal static TransactionAction Enable(BlockDirtyBitmap arguments, bool enabled) =>
        new BitmapEnableAction(arguments.Node, arguments.Name, enabled);

    internal static TransactionAction Merge(BlockDirtyBitmapMerge arguments) =>
        new BitmapMergeAction(arguments.Node, arguments.Target, [.. arguments.Bitmaps.Select(SourceOf)]);

    private static BitmapSource SourceOf(BlockDirtyBitmapOrStr source) =>
        source.External is { } external ? new(external.Node, external.Name) : new(null, source.Local!);
}
