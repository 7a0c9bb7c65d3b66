namespace Qmp.Client;

/// <summary>Whether a client is connected.</summary>
public enum QmpConnectionState
{
    /// <summary>Connecting for the first time.</summary>
    Connecting,

    /// <summary>Connected and negotiated.</summary>
    Connected,

    /// <summary>The connection was lost, another one is attempted.</summary>
    Reconnecting,

    /// <summary>Closed, by the client's owner or because there is no way back. It stays so.</summary>
    Closed,
}

/// <summary>A step in the life of a connection.</summary>
/// <param name="State">The new state.</param>
/// <param name="Reason">Why, if something went wrong.</param>
/// <param name="Attempt">Number of the attempt to connect that comes next, from 1; 0 when none does.</param>
public sealed record QmpConnectionChange(QmpConnectionState State, Exception? Reason = null, int Attempt = 0);
