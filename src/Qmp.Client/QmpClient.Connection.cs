namespace Qmp.Client;

/// <content>The life of the connection.</content>
public sealed partial class QmpClient
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _closing = new();
    private TaskCompletionSource<ClientSession> _session = NewSource();
    private Task _running = Task.CompletedTask;
    private long _sequence;

    /// <summary>
    /// Raised at each step in the life of the connection, in order, on a thread of the pool. A handler neither blocks nor
    /// throws.
    /// </summary>
    public event Action<QmpConnectionChange>? ConnectionChanged;

    /// <summary>Completed when the client is connected for the first time; faulted when that fails for good.</summary>
    public Task Ready { get; private set; } = Task.CompletedTask;

    /// <summary>Whether it is connected.</summary>
    public QmpConnectionState State { get; private set; }

    /// <summary>What the server said of itself when it was connected last; empty for a guest agent and before.</summary>
    public QmpGreeting Greeting { get; private set; } = new(default);

    /// <summary>Whether <see cref="QmpCallOptions.OutOfBand"/> works on this connection.</summary>
    public bool IsOutOfBandEnabled { get; private set; }

    /// <summary>Closes the connection. Calls in flight fail, subscriptions end after what they hold. Idempotent.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    private static TaskCompletionSource<ClientSession> NewSource()
    {
        var source = new TaskCompletionSource<ClientSession>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = source.Task.ContinueWith(static done => done.Exception, TaskScheduler.Default); // nobody has to look
        return source;
    }

    private void Run()
    {
        Ready = _session.Task;
        _running = Task.Run(RunAsync);
    }

    private async Task<ClientSession> SessionAsync(CancellationToken cancellationToken)
    {
        Task<ClientSession> session;
        lock (_lock)
        {
            session = _session.Task;
        }

        return session.IsCompletedSuccessfully ? session.Result : await session.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        Exception? reason = null;
        ClientSession? session = null;
        try
        {
            for (var isFirst = true; ; isFirst = false)
            {
                session = await ConnectAsync(isFirst, reason).ConfigureAwait(false);
                Connected(session);
                await session.Ended.WaitAsync(_closing.Token).ConfigureAwait(false);
                reason = new QmpConnectionException(
                    session.Failure is null ? $"{_endpoint}: the server closed the connection" : $"{_endpoint}: {session.Failure.Message}", session.Failure);
                if (_options.Reconnect is null)
                {
                    throw reason;
                }

                lock (_lock)
                {
                    _session = NewSource();
                }

                await LeaveAsync(session).ConfigureAwait(false);
                session = null;
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            Closed(null);
        }
        catch (Exception e)
        {
            Closed(e);
        }

        if (session is not null)
        {
            await LeaveAsync(session).ConfigureAwait(false);
        }
    }

    private static async Task LeaveAsync(ClientSession session)
    {
        await session.DisposeAsync().ConfigureAwait(false);
        session.Left.TrySetResult();
    }

    private async Task<ClientSession> ConnectAsync(bool isFirst, Exception? reason)
    {
        var policy = isFirst && _options.Reconnect is not { RetryFirstConnection: true } ? null : _options.Reconnect;
        for (var attempt = 1; ; attempt++)
        {
            Changed(isFirst ? QmpConnectionState.Connecting : QmpConnectionState.Reconnecting, reason, attempt);
            if (policy is not null && !(isFirst && attempt == 1))
            {
                await Task.Delay(policy.DelayBefore(isFirst ? attempt - 1 : attempt), _closing.Token).ConfigureAwait(false);
            }

            try
            {
                return await ClientSession.OpenAsync(
                    _endpoint, _options, _events, () => Interlocked.Increment(ref _sequence), _closing.Token).ConfigureAwait(false);
            }
            catch (QmpConnectionException e) when (policy is not null && (policy.MaxAttempts ?? int.MaxValue) > attempt)
            {
                reason = e;
            }
        }
    }

    private void Connected(ClientSession session)
    {
        Greeting = session.Greeting;
        IsOutOfBandEnabled = session.IsOutOfBandEnabled;
        Changed(QmpConnectionState.Connected, null, 0);
        _session.TrySetResult(session);
    }

    private void Closed(Exception? reason)
    {
        IsOutOfBandEnabled = false;
        lock (_lock)
        {
            // Those who wait for a connection, and those who come later.
            var failure = reason ?? new QmpConnectionException("the client is closed");
            if (!_session.TrySetException(failure))
            {
                _session = NewSource();
                _session.SetException(failure);
            }
        }

        _events.End(reason);
        Changed(QmpConnectionState.Closed, reason, 0);
    }

    private void Changed(QmpConnectionState state, Exception? reason, int attempt)
    {
        State = state;
        ConnectionChanged?.Invoke(new QmpConnectionChange(state, reason, attempt));
    }
}
