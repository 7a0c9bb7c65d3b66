namespace Qmp.Block;

/// <summary>What a user of a node needs to do, and what it lets others do.</summary>
[Flags]
public enum BlockPermissions
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Reads that see a consistent image.</summary>
    ConsistentRead = 1,

    /// <summary>Writes that change what is read.</summary>
    Write = 2,

    /// <summary>Writes that leave the content as it is.</summary>
    WriteUnchanged = 4,

    /// <summary>Changing the length.</summary>
    Resize = 8,

    /// <summary>Everything.</summary>
    All = 15,
}

/// <summary>Texts for permissions.</summary>
public static class BlockPermissionNames
{
    internal static readonly string[] ByBit = ["consistent read", "write", "write unchanged", "resize"];

    /// <summary>As error messages name them, joined by commas: <c>consistent read, write</c>. <b>Any</b>.</summary>
    public static string Describe(this BlockPermissions permissions)
    {
        List<string> names = [];
        for (var bit = 0; bit < ByBit.Length; bit++)
        {
            if (((int)permissions & (1 << bit)) != 0)
            {
                names.Add(ByBit[bit]);
            }
        }

        return string.Join(", ", names);
    }
}
