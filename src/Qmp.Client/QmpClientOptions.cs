namespace Qmp.Client;

/// <summary>How a client connects and what it allows itself. Immutable.</summary>
public sealed record QmpClientOptions
{
    /// <summary>Which protocol the server speaks (default: QMP).</summary>
    public QmpDialect Dialect { get; init; }

    /// <summary>
    /// Whether to switch the capability <c>oob</c> on where the server offers it (default: true). Without it
    /// <see cref="QmpCallOptions.OutOfBand"/> is refused.
    /// </summary>
    public bool EnableOutOfBand { get; init; } = true;

    /// <summary>
    /// How long connecting may take, greeting and negotiation included (default: 10 seconds). QEMU serves one client per
    /// monitor at a time and lets the next one wait in silence until the first has gone.
    /// </summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a call waits for its reply where its own options say nothing (default: without limit).</summary>
    public TimeSpan CallTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>
    /// Calls that may be sent and unanswered at once, from 1 up (default: 256); further ones wait for their turn.
    /// Out-of-band calls do not count. QEMU stops reading at 8 commands in its queue, after which nothing overtakes:
    /// who needs <see cref="QmpCallOptions.OutOfBand"/> at any time sets 7 or less.
    /// </summary>
    public int MaxCallsInFlight { get; init; } = 256;

    /// <summary>What happens when the connection is lost (default: null, the client is closed then).</summary>
    public QmpReconnectPolicy? Reconnect { get; init; }
}
