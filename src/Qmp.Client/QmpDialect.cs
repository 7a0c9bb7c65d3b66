namespace Qmp.Client;

/// <summary>The protocols that differ in how a connection begins.</summary>
public enum QmpDialect
{
    /// <summary>QMP: the server greets and the client answers with <c>qmp_capabilities</c>.</summary>
    Qmp,

    /// <summary>
    /// The QEMU guest agent: no greeting and no events. The client begins with <c>guest-sync-delimited</c>, and what is
    /// left of an earlier client's conversation is thrown away.
    /// </summary>
    GuestAgent,
}
