namespace Qmp.Client;

/// <summary>All subscriptions of a client; they outlive a connection. Any thread.</summary>
internal sealed class EventHub
{
    private readonly Lock _lock = new();
    private QmpEventSubscription[] _subscriptions = [];
    private bool _isEnded;
    private Exception? _reason;

    public void Add(QmpEventSubscription subscription)
    {
        lock (_lock)
        {
            if (!_isEnded)
            {
                _subscriptions = [.. _subscriptions, subscription];
                return;
            }
        }

        subscription.End(_reason);
    }

    public void Remove(QmpEventSubscription subscription)
    {
        lock (_lock)
        {
            _subscriptions = [.. _subscriptions.Where(other => other != subscription)];
        }
    }

    /// <summary>Gives an event to whoever wants it. On the reader of the connection; never waits.</summary>
    public void Publish(QmpReceivedEvent received)
    {
        foreach (var subscription in Volatile.Read(ref _subscriptions))
        {
            subscription.Offer(received);
        }
    }

    /// <summary>Ends all subscriptions, those to come as well.</summary>
    /// <param name="reason">Null when the client's owner has closed it.</param>
    public void End(Exception? reason)
    {
        QmpEventSubscription[] ended;
        lock (_lock)
        {
            _isEnded = true;
            _reason = reason;
            ended = _subscriptions;
            _subscriptions = [];
        }

        foreach (var subscription in ended)
        {
            subscription.End(reason);
        }
    }
}
