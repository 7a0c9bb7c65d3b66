namespace Qmp.Server.Objects;

/// <summary>A type of objects.</summary>
/// <param name="Name">Its name on the wire.</param>
/// <param name="Parent">The type that it is derived from; null for the root of all types.</param>
/// <param name="IsAbstract">Whether there are no objects of this very type.</param>
/// <param name="OwnProperties">The properties that it adds to its parent's, in the order of listings.</param>
/// <param name="IsUserCreatable">Whether <c>object-add</c> makes such objects.</param>
internal sealed record QomType(
    string Name, QomType? Parent, bool IsAbstract, IReadOnlyList<QomProperty> OwnProperties, bool IsUserCreatable = false)
{
    /// <summary>All properties, inherited ones first: the order of listings.</summary>
    public IEnumerable<QomProperty> Properties => Parent is null ? OwnProperties : Parent.Properties.Concat(OwnProperties);

    /// <summary>Whether this type is that one or derived from it.</summary>
    public bool Is(string name) =>
        Name == name || (name == UserCreatable && IsUserCreatable) || (Parent?.Is(name) ?? false);

    /// <summary>The interface of types that <c>object-add</c> knows.</summary>
    public const string UserCreatable = "user-creatable";
}
