using Qmp.Protocol.Schema;
using Qmp.Server.Chardevs;

namespace Qmp.Server.Monitors;

/// <summary>
/// Which users may use a monitor: QEMU leaves that to the mode of the socket alone. A client is let in if its user or
/// one of its groups is named. Immutable.
/// </summary>
internal sealed class PeerGuard
{
    private readonly IReadOnlyList<uint>? _users;
    private readonly IReadOnlyList<uint>? _groups;

    /// <summary>Takes the options.</summary>
    /// <param name="users">Users that are let in; null for none by their user.</param>
    /// <param name="groups">Groups whose members are let in; null for none by their group. Both null: everyone is.</param>
    public PeerGuard(MonitorIds? users, MonitorIds? groups)
    {
        _users = ListOf(users);
        _groups = ListOf(groups);
    }

    /// <summary>Whether a client is let in.</summary>
    /// <param name="connection">Its connection; one that is no Unix socket is let in only if everyone is.</param>
    public bool Allows(ChardevConnection connection) =>
        (_users is null && _groups is null)
        || (connection.Peer is { } peer
            && ((_users?.Contains(peer.UserId) ?? false) || (_groups?.Any(peer.GroupIds.Contains) ?? false)));

    private static IReadOnlyList<uint>? ListOf(MonitorIds? ids) => ids is null ? null : ids.Several ?? [ids.One!.Value];
}
