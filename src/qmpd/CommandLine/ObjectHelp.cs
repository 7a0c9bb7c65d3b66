using Qmp.Server;

namespace Qmp.Daemon.CommandLine;

/// <summary>What <c>--object help</c> and <c>--object type,help</c> print.</summary>
internal static class ObjectHelp
{
    /// <summary>The text for an argument that asks for help.</summary>
    public static string For(string argument)
    {
        var type = argument.Split(',')[0];
        type = type.StartsWith("qom-type=", StringComparison.Ordinal) ? type["qom-type=".Length..] : type;
        return ObjectCatalogue.PropertiesOf(type) is { } properties
            ? $"{type} options:\n" + string.Concat(properties.Select(p => $"  {p.Name}=<{p.Type}>\n"))
            : "List of user creatable objects:\n" + string.Concat(ObjectCatalogue.Types.Select(t => $"  {t}\n"));
    }
}
