using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Qmp.Client;

/// <summary>
/// Events from the moment when it was made, in the order in which they arrived: none is lost between subscribing and
/// reading. It holds a bounded number (<see cref="QmpSubscriptionOptions"/>). Read it once, from one thread at a time; end
/// it by disposing it. It ends by itself when the client is closed, with an exception if the connection was lost.
/// </summary>
public sealed class QmpEventSubscription : IAsyncEnumerable<QmpReceivedEvent>, IDisposable
{
    private readonly EventHub _hub;
    private readonly Func<QmpReceivedEvent, bool>? _filter;
    private readonly QmpSubscriptionOptions _options;
    private readonly Channel<QmpReceivedEvent> _events;
    private long _lost;

    internal QmpEventSubscription(EventHub hub, Func<QmpReceivedEvent, bool>? filter, QmpSubscriptionOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Capacity, 1);
        _hub = hub;
        _filter = filter;
        _options = options;
        _events = Channel.CreateBounded<QmpReceivedEvent>(
            new BoundedChannelOptions(options.Capacity)
            {
                SingleReader = true,
                SingleWriter = true,
                FullMode = options.Overflow == QmpOverflow.DropOldest ? BoundedChannelFullMode.DropOldest : BoundedChannelFullMode.Wait,
            },
            _ => Interlocked.Increment(ref _lost));
    }

    /// <summary>Events that were thrown away because nobody read them in time. Any thread.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <inheritdoc/>
    public async IAsyncEnumerator<QmpReceivedEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        await foreach (var received in _events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return received;
        }
    }

    /// <summary>Waits for the next event.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The event.</returns>
    /// <exception cref="QmpConnectionException">The client was closed, or the connection was lost.</exception>
    /// <exception cref="QmpEventsLostException">Events were lost.</exception>
    public async ValueTask<QmpReceivedEvent> NextAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await _events.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException e)
        {
            throw e.InnerException ?? new QmpConnectionException("the subscription has ended");
        }
    }

    /// <summary>Takes the next event if it is here already.</summary>
    /// <param name="received">The event.</param>
    /// <returns>Whether there was one.</returns>
    public bool TryNext([MaybeNullWhen(false)] out QmpReceivedEvent received) => _events.Reader.TryRead(out received);

    /// <summary>Ends it. Any thread; idempotent.</summary>
    public void Dispose()
    {
        _hub.Remove(this);
        End(null);
    }

    // On the reader of the connection.
    internal void Offer(QmpReceivedEvent received)
    {
        try
        {
            if (_filter is null || _filter(received))
            {
                Add(received);
            }
        }
        catch (Exception e)
        {
            // A filter that fails ends its own subscription, not the connection.
            _hub.Remove(this);
            End(e);
        }
    }

    internal void End(Exception? reason) => _events.Writer.TryComplete(reason);

    private void Add(QmpReceivedEvent received)
    {
        if (_events.Writer.TryWrite(received))
        {
            return;
        }

        Interlocked.Increment(ref _lost);
        if (_options.Overflow == QmpOverflow.Fail)
        {
            _hub.Remove(this);
            End(new QmpEventsLostException(_options.Capacity));
        }
    }
}

/// <summary>A subscription to one kind of event, with its data typed. The rules are those of <see cref="QmpEventSubscription"/>.</summary>
/// <typeparam name="T">Type of the data.</typeparam>
public sealed class QmpEventSubscription<T> : IAsyncEnumerable<QmpReceivedEvent<T>>, IDisposable
{
    private readonly QmpEventSubscription _events;
    private readonly QmpEventType<T> _type;

    internal QmpEventSubscription(QmpEventSubscription events, QmpEventType<T> type)
    {
        _events = events;
        _type = type;
    }

    /// <summary>Events that were thrown away because nobody read them in time. Any thread.</summary>
    public long Lost => _events.Lost;

    /// <inheritdoc/>
    public async IAsyncEnumerator<QmpReceivedEvent<T>> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        await foreach (var received in _events.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            yield return Typed(received);
        }
    }

    /// <inheritdoc cref="QmpEventSubscription.NextAsync"/>
    public async ValueTask<QmpReceivedEvent<T>> NextAsync(CancellationToken cancellationToken = default) =>
        Typed(await _events.NextAsync(cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public void Dispose() => _events.Dispose();

    private QmpReceivedEvent<T> Typed(QmpReceivedEvent received) =>
        received.Is(_type, out var data) ? new(received, data) : throw new InvalidOperationException("an event of another kind");
}
