using Qmp.Server.Objects;

namespace Qmp.Server;

/// <summary>What <c>object-add</c> can make, for help texts. <b>Any</b>.</summary>
public static class ObjectCatalogue
{
    /// <summary>The types, sorted.</summary>
    public static IEnumerable<string> Types =>
        QomTypes.All.Where(t => t.IsUserCreatable).Select(t => t.Name).Order(StringComparer.Ordinal);

    /// <summary>The properties of a type that can be set, sorted; null when there is no such type.</summary>
    /// <param name="type">The type.</param>
    public static IEnumerable<(string Name, string Type)>? PropertiesOf(string type) =>
        QomTypes.Find(type) is { IsUserCreatable: true } found
            ? found.Properties.Where(p => p.Set is not null).Select(p => (p.Name, p.Type)).OrderBy(p => p.Name, StringComparer.Ordinal)
            : null;
}
