using Qmp.Protocol;

namespace Qmp.Server.Objects;

/// <summary>What decides whether somebody may come in. <b>Main</b>.</summary>
internal abstract class AuthzObject(string typeName) : QomObject(typeName)
{
    /// <summary>Finds one.</summary>
    /// <exception cref="QmpException">There is none of that name.</exception>
    public static AuthzObject Find(QomContainer objects, string id) => objects.Child(id) switch
    {
        AuthzObject authz => authz,
        null => throw new QmpException($"Cannot find QAuthZ object ID {id}"),
        _ => throw new QmpException($"Object '{id}' is not a QAuthZ subclass"),
    };

    /// <summary>Whether an identity is let in. Never blocks.</summary>
    /// <param name="identity">Who it is: for TLS with certificates the distinguished name.</param>
    public abstract bool IsAllowed(string identity);
}
