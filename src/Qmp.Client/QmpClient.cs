using System.Text.Json;
using System.Text.Json.Nodes;
using Qmp.Protocol.Qapi;

namespace Qmp.Client;

/// <summary>
/// A client of a QMP server: of QEMU, of a storage daemon, or of the guest agent. The commands of the schema are extension
/// methods (<see cref="QmpCommands"/>); <see cref="ExecuteAsync(string, JsonObject?, QmpCallOptions?, CancellationToken)"/>
/// calls any command of any server. Any number of threads may call at once; commands run in the order in which they were
/// sent. Dispose it to close the connection.
/// </summary>
public sealed partial class QmpClient : IAsyncDisposable
{
    private readonly QmpEndpoint _endpoint;
    private readonly QmpClientOptions _options;
    private readonly EventHub _events = new();

    private QmpClient(QmpEndpoint endpoint, QmpClientOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxCallsInFlight, 1);
        if (options.Reconnect is not null && !endpoint.CanReconnect)
        {
            throw new ArgumentException("what was open already cannot be connected to again", nameof(options));
        }

        _endpoint = endpoint;
        _options = options;
    }

    /// <summary>Connects, reads the greeting and negotiates.</summary>
    /// <param name="endpoint">Where the server is; a text is read by <see cref="QmpEndpoint.Parse"/>.</param>
    /// <param name="options">How to connect.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A client that is connected.</returns>
    /// <exception cref="QmpConnectionException">There is no server, or it does not answer in time.</exception>
    public static async Task<QmpClient> ConnectAsync(
        QmpEndpoint endpoint, QmpClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        var client = Start(endpoint, options);
        try
        {
            await client.Ready.WaitAsync(cancellationToken).ConfigureAwait(false);
            return client;
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A client that connects by itself; calls wait until it has. It fails for good where its policy ends.</summary>
    /// <param name="endpoint">Where the server is; a text is read by <see cref="QmpEndpoint.Parse"/>.</param>
    /// <param name="options">How to connect.</param>
    /// <returns>A client that may not be connected yet: see <see cref="Ready"/>.</returns>
    public static QmpClient Start(QmpEndpoint endpoint, QmpClientOptions? options = null)
    {
        var client = new QmpClient(endpoint, options ?? new QmpClientOptions());
        client.Run();
        return client;
    }

    /// <summary>Calls any command.</summary>
    /// <param name="command">Its name.</param>
    /// <param name="arguments">Its arguments; null for none.</param>
    /// <param name="call">What is special about this call.</param>
    /// <param name="cancellationToken">Ends the wait, not the command: QMP cannot withdraw one.</param>
    /// <returns>What stands under <c>return</c>.</returns>
    /// <exception cref="QmpCommandException">The server refused it, or it failed.</exception>
    /// <exception cref="QmpTimeoutException">No reply came in time.</exception>
    /// <exception cref="QmpCallInterruptedException">The connection was lost before the reply came.</exception>
    /// <exception cref="QmpConnectionException">The client is closed.</exception>
    public async Task<JsonElement> ExecuteAsync(
        string command, JsonObject? arguments = null, QmpCallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var reply = await CallAsync(command, arguments is null ? null : new RawArguments(arguments), call, cancellationToken).ConfigureAwait(false);
        return reply?.Value ?? default;
    }

    /// <inheritdoc cref="ExecuteAsync(string, JsonObject?, QmpCallOptions?, CancellationToken)"/>
    public async Task<JsonElement> ExecuteAsync(
        string command, JsonElement arguments, QmpCallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var reply = await CallAsync(command, new ElementArguments(arguments), call, cancellationToken).ConfigureAwait(false);
        return reply?.Value ?? default;
    }

    /// <summary>Calls a command with arguments that write themselves: generated code does.</summary>
    /// <param name="command">Its name.</param>
    /// <param name="arguments">Its arguments, an object; null for none.</param>
    /// <param name="call">What is special about this call.</param>
    /// <param name="cancellationToken">Ends the wait, not the command.</param>
    /// <returns>The reply; null with <see cref="QmpCallOptions.NoReply"/>.</returns>
    /// <exception cref="QmpCommandException">The server refused it, or it failed.</exception>
    /// <exception cref="QmpTimeoutException">No reply came in time.</exception>
    /// <exception cref="QmpCallInterruptedException">The connection was lost before the reply came.</exception>
    /// <exception cref="QmpConnectionException">The client is closed.</exception>
    public async Task<QmpReply?> CallAsync(
        string command, IQapiWritable? arguments = null, QmpCallOptions? call = null, CancellationToken cancellationToken = default)
    {
        call ??= Plain;
        var timeout = call.Timeout ?? _options.CallTimeout;
        if (timeout == Timeout.InfiniteTimeSpan)
        {
            return await CallCoreAsync(command, arguments, call, cancellationToken).ConfigureAwait(false);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            return await CallCoreAsync(command, arguments, call, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new QmpTimeoutException(command, timeout);
        }
    }

    private async Task<QmpReply?> CallCoreAsync(string command, IQapiWritable? arguments, QmpCallOptions call, CancellationToken cancellationToken)
    {
        while (true)
        {
            var session = await SessionAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                return await session.CallAsync(command, arguments, call, cancellationToken).ConfigureAwait(false);
            }
            catch (CallNotSentException)
            {
                await session.Left.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static readonly QmpCallOptions Plain = new();

    /// <summary>Calls a command and reads its reply by a type of the schema.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="command">Its name.</param>
    /// <param name="arguments">Its arguments, an object; null for none.</param>
    /// <param name="read">Reads the type.</param>
    /// <param name="call">What is special about this call.</param>
    /// <param name="cancellationToken">Ends the wait, not the command.</param>
    /// <returns>What stands under <c>return</c>.</returns>
    /// <exception cref="QmpProtocolException">The reply does not fit the type.</exception>
    /// <inheritdoc cref="CallAsync"/>
    public async Task<T> CallAsync<T>(
        string command, IQapiWritable? arguments, QapiItemReader<T> read, QmpCallOptions? call = null, CancellationToken cancellationToken = default)
    {
        var reply = await CallAsync(command, arguments, call, cancellationToken).ConfigureAwait(false);
        return (reply ?? throw new ArgumentException($"'{command}' has a reply", nameof(call))).Read(read);
    }

    /// <summary>
    /// Subscribes to events. From the return of this method on none is lost; read them by <c>await foreach</c> or
    /// <see cref="QmpEventSubscription.NextAsync"/>.
    /// </summary>
    /// <param name="filter">Which ones; null for all. It runs on the connection's reader: quickly, and without calls.</param>
    /// <param name="options">How what is not read yet is held.</param>
    /// <returns>The subscription, to be disposed.</returns>
    public QmpEventSubscription Subscribe(Func<QmpReceivedEvent, bool>? filter = null, QmpSubscriptionOptions? options = null)
    {
        var subscription = new QmpEventSubscription(_events, filter, options ?? new QmpSubscriptionOptions());
        _events.Add(subscription);
        return subscription;
    }

    /// <summary>Subscribes to events of some names.</summary>
    /// <param name="names">The names, such as <c>JOB_STATUS_CHANGE</c>.</param>
    /// <returns>The subscription, to be disposed.</returns>
    public QmpEventSubscription Subscribe(params string[] names) => Subscribe(received => Array.IndexOf(names, received.Name) >= 0);

    /// <summary>Subscribes to one kind of event, with its data typed.</summary>
    /// <typeparam name="T">Type of the data.</typeparam>
    /// <param name="type">The kind, one of <see cref="QmpEventTypes"/>.</param>
    /// <param name="options">How what is not read yet is held.</param>
    /// <returns>The subscription, to be disposed.</returns>
    public QmpEventSubscription<T> Subscribe<T>(QmpEventType<T> type, QmpSubscriptionOptions? options = null) =>
        new(Subscribe(received => received.Name == type.Name, options), type);

    /// <summary>
    /// Waits for one event. Call it before what causes the event, await it after: it subscribes at once.
    /// </summary>
    /// <param name="filter">Which one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The event.</returns>
    /// <exception cref="QmpConnectionException">The client was closed, or the connection was lost for good.</exception>
    public Task<QmpReceivedEvent> WaitForEventAsync(Func<QmpReceivedEvent, bool> filter, CancellationToken cancellationToken = default)
    {
        var subscription = Subscribe(filter, OneEvent);
        return WaitAsync();

        async Task<QmpReceivedEvent> WaitAsync()
        {
            using (subscription)
            {
                return await subscription.NextAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits for one event of a name. Call it before what causes the event, await it after.</summary>
    /// <param name="name">The name, such as <c>BLOCK_EXPORT_DELETED</c>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The event.</returns>
    /// <exception cref="QmpConnectionException">The client was closed, or the connection was lost for good.</exception>
    public Task<QmpReceivedEvent> WaitForEventAsync(string name, CancellationToken cancellationToken = default) =>
        WaitForEventAsync(received => received.Name == name, cancellationToken);

    private static readonly QmpSubscriptionOptions OneEvent = new() { Capacity = 1, Overflow = QmpOverflow.DropNewest };
}
