namespace Qmp.Sessions;

/// <summary>What a command printed, and its exit status.</summary>
/// <param name="ExitStatus">Its exit status.</param>
/// <param name="Lines">Its output.</param>
public sealed record SessionCommandResult(int ExitStatus, IReadOnlyList<string> Lines);

/// <summary>The server that a session is played against.</summary>
public sealed record SessionTarget
{
    /// <summary>Opens a connection.</summary>
    public required Func<CancellationToken, Task<SessionConnection>> ConnectAsync { get; init; }

    /// <summary>Runs a command beside the server; null where a session may not.</summary>
    public Func<string, Task<SessionCommandResult>>? RunAsync { get; init; }

    /// <summary>How long to wait for a line that should come.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);
}
