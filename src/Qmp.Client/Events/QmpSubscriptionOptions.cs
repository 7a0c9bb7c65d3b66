namespace Qmp.Client;

/// <summary>What happens to events that a subscription has no room for. They are never held back: replies wait behind them.</summary>
public enum QmpOverflow
{
    /// <summary>The subscription ends with a <see cref="QmpEventsLostException"/> after what it holds: no loss goes unnoticed.</summary>
    Fail,

    /// <summary>The oldest event that it holds is thrown away, and counted.</summary>
    DropOldest,

    /// <summary>The new event is thrown away, and counted.</summary>
    DropNewest,
}

/// <summary>How a subscription holds what is not read yet. Immutable.</summary>
public sealed record QmpSubscriptionOptions
{
    /// <summary>How many events it holds, from 1 up (default: 4096).</summary>
    public int Capacity { get; init; } = 4096;

    /// <summary>What happens to more.</summary>
    public QmpOverflow Overflow { get; init; }
}
