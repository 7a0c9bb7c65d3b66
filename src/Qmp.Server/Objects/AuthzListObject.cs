using Qmp.Aio;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Objects;

/// <summary>The object type <c>authz-list</c>: the first rule that matches decides. <b>Main</b>.</summary>
internal sealed class AuthzListObject() : AuthzObject("authz-list")
{
    private QAuthZListPolicy _policy = QAuthZListPolicy.Deny;
    private IReadOnlyList<QAuthZListRule> _rules = [];

    /// <summary>What this type adds, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> OwnProperties { get; } =
    [
        QomProperty.Of<AuthzListObject, QAuthZListPolicy>(
            "policy", "QAuthZListPolicy", QAuthZListPolicyNames.Read, (writer, v) => writer.Value(v.ToWireName()), o => o._policy, (o, v) => o._policy = v),
        QomProperty.Of<AuthzListObject, IReadOnlyList<QAuthZListRule>>(
            "rules", "QAuthZListRule", (ref reader) => reader.ReadList(QAuthZListRule.Read), WriteRules, o => o._rules, (o, v) => o._rules = v),
    ];

    public override bool IsAllowed(string identity) =>
        (_rules.FirstOrDefault(rule => Matches(rule, identity))?.Policy ?? _policy) == QAuthZListPolicy.Allow;

    private static bool Matches(QAuthZListRule rule, string identity) => rule.Format == QAuthZListFormat.Glob
        ? Libc.MatchesGlob(rule.Match, identity)
        : rule.Match == identity;

    private static void WriteRules(QapiWriter writer, IReadOnlyList<QAuthZListRule> rules)
    {
        writer.BeginList();
        foreach (var rule in rules)
        {
            writer.Value(rule);
        }

        writer.EndList();
    }
}
