namespace Qmp.Server.Objects;

/// <summary>The object type <c>authz-simple</c>: a single identity is let in. <b>Main</b>.</summary>
internal sealed class AuthzSimpleObject() : AuthzObject("authz-simple")
{
    private string _identity = string.Empty;

    /// <summary>What this type adds, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> OwnProperties { get; } =
        [QomProperty.Text<AuthzSimpleObject>("identity", o => o._identity, (o, v) => o._identity = v)];

    public override bool IsAllowed(string identity) => identity == _identity;
}
