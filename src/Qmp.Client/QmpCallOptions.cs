using System.Runtime.InteropServices;

namespace Qmp.Client;

/// <summary>What is special about one call. Immutable.</summary>
public sealed record QmpCallOptions
{
    /// <summary>
    /// Whether the command overtakes those that wait, by <c>exec-oob</c>. The server must have offered <c>oob</c>, and the
    /// command must allow it.
    /// </summary>
    public bool OutOfBand { get; init; }

    /// <summary>How long to wait for the reply (default: <see cref="QmpClientOptions.CallTimeout"/>).</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// Descriptors to pass along with the command, for <c>getfd</c>, <c>add-fd</c> and the like; at most 16. Unix sockets
    /// only. They stay the caller's, who keeps them open until the call is over.
    /// </summary>
    public IReadOnlyList<SafeHandle> Descriptors { get; init; } = [];

    /// <summary>
    /// Whether the command sends no reply when it succeeds (the guest agent's <c>guest-shutdown</c>): the call is over
    /// once it is sent, and a failure goes unnoticed.
    /// </summary>
    public bool NoReply { get; init; }
}
