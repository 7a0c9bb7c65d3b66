namespace Qmp.Block;

// The bitmaps of a node. The array is replaced, never changed: the loop may be walking the old one.
public sealed partial class BlockNode
{
    private volatile DirtyBitmap[] _bitmaps = [];

    /// <summary>Its dirty bitmaps, newest first. <b>Any</b>.</summary>
    public IReadOnlyList<DirtyBitmap> Bitmaps => _bitmaps;

    /// <summary>The bitmap of that name, or null. <b>Any</b>.</summary>
    public DirtyBitmap? TryFindBitmap(string name) => Array.Find(_bitmaps, bitmap => bitmap.Name == name);

    /// <summary><b>Main</b>, drained.</summary>
    internal void AddBitmap(DirtyBitmap bitmap)
    {
        _bitmaps = [bitmap, .. _bitmaps];
        RefreshDataPath();
    }

    /// <summary><b>Main</b>, drained. Its place, to put it back.</summary>
    internal int RemoveBitmap(DirtyBitmap bitmap)
    {
        var index = Array.IndexOf(_bitmaps, bitmap);
        _bitmaps = [.. _bitmaps.Where(other => other != bitmap)];
        RefreshDataPath();
        return index;
    }

    /// <summary><b>Main</b>, drained. Undoes <see cref="RemoveBitmap"/>.</summary>
    internal void InsertBitmap(int index, DirtyBitmap bitmap)
    {
        List<DirtyBitmap> bitmaps = [.. _bitmaps];
        bitmaps.Insert(index, bitmap);
        _bitmaps = [.. bitmaps];
        RefreshDataPath();
    }

    /// <summary><b>Loop</b>, drained.</summary>
    internal void TruncateBitmaps(long length)
    {
        foreach (var bitmap in _bitmaps)
        {
            bitmap.Truncate(length);
        }
    }
}
