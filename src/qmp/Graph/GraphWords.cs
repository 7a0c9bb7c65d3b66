using System.Globalization;

namespace Qmp.Tool.Graph;

/// <summary>Texts that all pictures have in common.</summary>
internal static class GraphWords
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    private static readonly string[] AllPermissions = ["consistent-read", "write", "write-unchanged", "resize"];

    /// <summary>A size with a unit, three digits at least.</summary>
    public static string Size(double bytes)
    {
        var unit = 0;
        while (bytes >= 1024 && unit < Units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return bytes.ToString(bytes % 1 == 0 || bytes >= 100 ? "F0" : bytes >= 10 ? "F1" : "F2", CultureInfo.InvariantCulture) + " " + Units[unit];
    }

    /// <summary>What a box is: driver or kind, size, access.</summary>
    public static IEnumerable<string> About(GraphBox box)
    {
        switch (box.Kind)
        {
            case GraphBoxKind.Export:
                yield return "export" + (box.Type is { } type ? " " + type : "");
                break;
            case GraphBoxKind.Job:
                yield return "job";
                break;
            case GraphBoxKind.User:
                yield return "user";
                break;
            default:
                if (box.Type is { } driver)
                {
                    yield return driver;
                }

                break;
        }

        if (box.SizeBytes is { } size)
        {
            yield return Size(size);
        }

        if (box.ReadOnly == true)
        {
            yield return "read-only";
        }
    }

    /// <summary>Permissions in the order in which people think of them.</summary>
    public static string Permissions(IReadOnlyList<string>? permissions) => permissions switch
    {
        null => "",
        [] => "none",
        _ when AllPermissions.All(permissions.Contains) => "all",
        _ => string.Join(", ", permissions.OrderBy(name => (uint)Array.IndexOf(AllPermissions, name))
            .Select(name => name == "consistent-read" ? "read" : name)),
    };
}
