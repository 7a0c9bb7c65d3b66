using Qmp.Protocol;

namespace Qmp.Block;

/// <summary><c>block-dirty-bitmap-add</c>.</summary>
/// <param name="nodeName">The node to watch.</param>
/// <param name="name">Name of the bitmap.</param>
/// <param name="granularity">Bytes per bit; null: 64 KiB.</param>
/// <param name="persistent">Store it in the image.</param>
/// <param name="disabled">Do not record yet.</param>
public sealed class BitmapAddAction(string nodeName, string name, long? granularity, bool persistent, bool disabled) : TransactionAction
{
    private DirtyBitmap? _bitmap;

    /// <inheritdoc/>
    public override string Name => "block-dirty-bitmap-add";

    /// <inheritdoc/>
    public override IEnumerable<string> NodeNames => [nodeName];

    /// <inheritdoc/>
    protected internal override ValueTask PrepareAsync(GraphChange change)
    {
        var node = change.Graph.Lookup(nodeName, nodeName);
        if (name.Length == 0)
        {
            throw new QmpException("Bitmap name cannot be empty");
        }

        var unit = granularity ?? DirtyBitmap.GranularityDefault;
        if (unit < DirtyBitmap.GranularityMin || !NativeBytes.IsPowerOfTwo(unit))
        {
            throw new QmpException("Granularity must be power of 2 and at least 512");
        }

        if (persistent && !node.Driver.CanStoreBitmaps)
        {
            throw new QmpException($"Can't store persistent bitmaps to {node.NodeName}: Operation not supported");
        }

        if (node.TryFindBitmap(name) is not null)
        {
            throw new QmpException($"Bitmap already exists: {name}");
        }

        if (System.Text.Encoding.UTF8.GetByteCount(name) > DirtyBitmap.NameMax)
        {
            throw new QmpException($"Bitmap name too long: {name}");
        }

        _bitmap = new DirtyBitmap(node, name, unit, node.LengthBytes) { Enabled = !disabled, Persistent = persistent };
        node.AddBitmap(_bitmap);
        return default;
    }

    /// <inheritdoc/>
    protected internal override ValueTask AbortAsync(GraphChange change)
    {
        _bitmap!.Node.RemoveBitmap(_bitmap);
        return default;
    }
}

/// <summary><c>block-dirty-bitmap-remove</c>. Until it is final the bitmap is there, and busy.</summary>
/// <param name="nodeName">Its node.</param>
/// <param name="name">Its name.</param>
public sealed class BitmapRemoveAction(string nodeName, string name) : TransactionAction
{
    private DirtyBitmap? _bitmap;

    /// <inheritdoc/>
    public override string Name => "block-dirty-bitmap-remove";

    /// <inheritdoc/>
    public override IEnumerable<string> NodeNames => [nodeName];

    /// <inheritdoc/>
    protected internal override ValueTask PrepareAsync(GraphChange change)
    {
        _bitmap = change.Graph.FindBitmap(nodeName, name);
        _bitmap.Check(allowInconsistent: true);
        _bitmap.Busy = true;
        return default;
    }

    /// <inheritdoc/>
    protected internal override ValueTask CommitAsync(GraphChange change)
    {
        _bitmap!.Busy = false;
        _bitmap.Node.RemoveBitmap(_bitmap);
        return default;
    }

    /// <inheritdoc/>
    protected internal override ValueTask AbortAsync(GraphChange change)
    {
        _bitmap!.Busy = false;
        return default;
    }
}

/// <summary><c>block-dirty-bitmap-clear</c>.</summary>
/// <param name="nodeName">Its node.</param>
/// <param name="name">Its name.</param>
public sealed class BitmapClearAction(string nodeName, string name) : TransactionAction
{
    private DirtyBitmap? _bitmap;
    private ulong[]? _before;

    /// <inheritdoc/>
    public override string Name => "block-dirty-bitmap-clear";

    /// <inheritdoc/>
    public override IEnumerable<string> NodeNames => [nodeName];

    /// <inheritdoc/>
    protected internal override ValueTask PrepareAsync(GraphChange change)
    {
        _bitmap = change.Graph.FindBitmap(nodeName, name);
        _bitmap.Check();
        _before = _bitmap.Clear();
        return default;
    }

    /// <inheritdoc/>
    protected internal override ValueTask AbortAsync(GraphChange change)
    {
        _bitmap!.Restore(_before!);
        return default;
    }
}

/// <summary><c>block-dirty-bitmap-enable</c> and <c>-disable</c>.</summary>
/// <param name="nodeName">Its node.</param>
/// <param name="name">Its name.</param>
/// <param name="enabled">Whether to record from now on.</param>
public sealed class BitmapEnableAction(string nodeName, string name, bool enabled) : TransactionAction
{
    private DirtyBitmap? _bitmap;
    private bool _before;

    /// <inheritdoc/>
    public override string Name => enabled ? "block-dirty-bitmap-enable" : "block-dirty-bitmap-disable";

    /// <inheritdoc/>
    public override IEnumerable<string> NodeNames => [nodeName];

    /// <inheritdoc/>
    protected internal override ValueTask PrepareAsync(GraphChange change)
    {
        _bitmap = change.Graph.FindBitmap(nodeName, name);
        _bitmap.Check(allowReadOnly: true);
        _before = _bitmap.Enabled;
        _bitmap.Enabled = enabled;
        return default;
    }

    /// <inheritdoc/>
    protected internal override ValueTask AbortAsync(GraphChange change)
    {
        _bitmap!.Enabled = _before;
        return default;
    }
}

/// <summary>A bitmap to merge from.</summary>
/// <param name="NodeName">Its node; null: that of the target.</param>
/// <param name="Name">Its name.</param>
public readonly record struct BitmapSource(string? NodeName, string Name);

/// <summary><c>block-dirty-bitmap-merge</c>.</summary>
/// <param name="nodeName">Node of the target.</param>
/// <param name="target">Name of the target.</param>
/// <param name="sources">What to merge into it.</param>
public sealed class BitmapMergeAction(string nodeName, string target, IReadOnlyList<BitmapSource> sources) : TransactionAction
{
    private DirtyBitmap? _bitmap;
    private ulong[]? _before;

    /// <inheritdoc/>
    public override string Name => "block-dirty-bitmap-merge";

    /// <inheritdoc/>
    public override IEnumerable<string> NodeNames
        => sources.Select(source => source.NodeName ?? nodeName).Append(nodeName);

    /// <inheritdoc/>
    protected internal override ValueTask PrepareAsync(GraphChange change)
    {
        _bitmap = change.Graph.FindBitmap(nodeName, target);
        List<DirtyBitmap> bitmaps = [];
        foreach (var source in sources)
        {
            var bitmap = change.Graph.FindBitmap(source.NodeName ?? nodeName, source.Name);
            CheckPair(_bitmap, bitmap);
            bitmaps.Add(bitmap);
        }

        _before = _bitmap.Backup();
        foreach (var bitmap in bitmaps)
        {
            _bitmap.MergeFrom(bitmap);
        }

        return default;
    }

    /// <inheritdoc/>
    protected internal override ValueTask AbortAsync(GraphChange change)
    {
        _bitmap!.Restore(_before!);
        return default;
    }

    private static void CheckPair(DirtyBitmap target, DirtyBitmap source)
    {
        target.Check();
        source.Check(allowReadOnly: true);
        if (target.LengthBytes != source.LengthBytes)
        {
            throw new QmpException(
                $"Bitmaps are of different sizes (destination size is {target.LengthBytes}, source size is {source.LengthBytes}) and can't be merged");
        }
    }
}
