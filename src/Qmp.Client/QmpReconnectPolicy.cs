namespace Qmp.Client;

/// <summary>
/// When to connect again after a connection was lost. Calls in flight fail in any case, because nobody knows whether the
/// server has executed them; calls made meanwhile wait for the new connection, within their timeouts. Subscriptions live
/// on; what happened in between is lost to them. Immutable.
/// </summary>
public sealed record QmpReconnectPolicy
{
    /// <summary>Time before the first attempt (default: 100 ms).</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Time between attempts at most (default: 10 s).</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>By what the time grows with each attempt, 1 or more (default: 2).</summary>
    public double Factor { get; init; } = 2;

    /// <summary>Attempts in a row before the client gives up and is closed (default: null, never).</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>
    /// Whether the first connection is attempted again like any other (default: false, <c>ConnectAsync</c> fails when it
    /// fails).
    /// </summary>
    public bool RetryFirstConnection { get; init; }

    /// <summary>Time before an attempt.</summary>
    /// <param name="attempt">Its number, from 1.</param>
    public TimeSpan DelayBefore(int attempt)
    {
        var milliseconds = FirstDelay.TotalMilliseconds * Math.Pow(Factor, attempt - 1);
        return milliseconds < MaxDelay.TotalMilliseconds ? TimeSpan.FromMilliseconds(milliseconds) : MaxDelay;
    }
}
