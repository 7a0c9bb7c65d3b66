using Qmp.Server.Chardevs;
using Qmp.Server.Monitors;

namespace Qmp.Server.Objects;

/// <summary>All types of objects. Immutable.</summary>
internal static class QomTypes
{
    /// <summary>The root of all types.</summary>
    public static QomType Object { get; } =
        new("object", null, true, [new QomProperty("type", "string", o => QomProperty.FromString(o.TypeName))]);

    /// <summary>The root of event loops.</summary>
    public static QomType EventLoopBase { get; } = new("event-loop-base", Object, true, IoThreadObject.EventLoopProperties);

    /// <summary>The root of character devices.</summary>
    public static QomType Chardev { get; } = new("chardev", Object, true, []);

    /// <summary>The root of what decides about access.</summary>
    public static QomType Authz { get; } = new("authz", Object, true, []);

    /// <summary>The root of monitors.</summary>
    public static QomType Monitor { get; } = new("monitor", Object, true, QmpMonitor.MonitorProperties);

    /// <summary>The root of secrets.</summary>
    public static QomType SecretCommon { get; } = new("secret_common", Object, true, SecretObject.CommonProperties);

    /// <summary>The root of credentials for TLS.</summary>
    public static QomType TlsCreds { get; } = new("tls-creds", Object, true, TlsCredsObject.CommonProperties);

    /// <summary>All types, by name.</summary>
    public static IReadOnlyList<QomType> All { get; } =
    [
        Authz,
        new("authz-list", Authz, false, AuthzListObject.OwnProperties, IsUserCreatable: true),
        new("authz-list-file", Authz, false, AuthzListFileObject.OwnProperties, IsUserCreatable: true),
        new("authz-simple", Authz, false, AuthzSimpleObject.OwnProperties, IsUserCreatable: true),
        Chardev,
        new("chardev-file", Chardev, false, []),
        new("chardev-memory", Chardev, false, []),
        new("chardev-mux", Chardev, false, []),
        new("chardev-null", Chardev, false, []),
        new("chardev-pipe", Chardev, false, []),
        new("chardev-pty", Chardev, false, []),
        new("chardev-ringbuf", Chardev, false, []),
        new("chardev-socket", Chardev, false, SocketChardev.OwnProperties),
        new("chardev-stdio", Chardev, false, []),
        new("container", Object, false, []),
        EventLoopBase,
        new("iothread", EventLoopBase, false, IoThreadObject.OwnProperties, IsUserCreatable: true),
        Monitor,
        new("monitor-qmp", Monitor, false, QmpMonitor.OwnProperties, IsUserCreatable: true),
        Object,
        new("secret", SecretCommon, false, SecretObject.OwnProperties, IsUserCreatable: true),
        SecretCommon,
        new("throttle-group", Object, false, ThrottleGroupObject.OwnProperties, IsUserCreatable: true),
        TlsCreds,
        new("tls-creds-anon", TlsCreds, false, [], IsUserCreatable: true),
        new("tls-creds-psk", TlsCreds, false, TlsCredsPskObject.OwnProperties, IsUserCreatable: true),
        new("tls-creds-x509", TlsCreds, false, TlsCredsX509Object.OwnProperties, IsUserCreatable: true),
    ];

    /// <summary>Finds a type; null when there is none.</summary>
    public static QomType? Find(string name) => All.FirstOrDefault(t => t.Name == name);
}
