using Qmp.Protocol.Qapi;

namespace Qmp.Client;

/// <summary>One connection, from its greeting to its end. Any thread.</summary>
internal sealed class ClientSession : IAsyncDisposable
{
    private readonly ClientTransport _transport;
    private readonly ClientMessageHandler _handler;
    private readonly ClientRpc _rpc;
    private readonly SemaphoreSlim _places;
    private long _lastId;

    private ClientSession(ClientTransport transport, ClientMessageHandler handler, int maxCallsInFlight)
    {
        _transport = transport;
        _handler = handler;
        _rpc = new ClientRpc(handler);
        _places = new SemaphoreSlim(maxCallsInFlight);
    }

    public QmpGreeting Greeting { get; private set; } = new(default);

    public bool IsOutOfBandEnabled { get; private set; }

    /// <summary>Completed, never faulted, when the connection has ended.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>Completed when the client has let go of it: another one takes its place, or there is none.</summary>
    public TaskCompletionSource Left { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Why it ended, if not by its end.</summary>
    public Exception? Failure => _handler.Failure;

    /// <summary>Connects and negotiates.</summary>
    /// <exception cref="QmpConnectionException">There is no server, or it does not answer in time.</exception>
    public static async Task<ClientSession> OpenAsync(
        QmpEndpoint endpoint, QmpClientOptions options, EventHub events, Func<long> nextSequence, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.ConnectTimeout);
        ClientSession? session = null;
        try
        {
            var transport = await endpoint.OpenAsync(limit.Token).ConfigureAwait(false);
            session = new ClientSession(transport, new ClientMessageHandler(transport, events, nextSequence), options.MaxCallsInFlight);
            await session.NegotiateAsync(options, limit.Token).ConfigureAwait(false);
            return session;
        }
        catch (Exception e)
        {
            if (session is not null)
            {
                await session.DisposeAsync().ConfigureAwait(false);
            }

            cancellationToken.ThrowIfCancellationRequested();
            throw e is OperationCanceledException
                ? new QmpConnectionException($"{endpoint}: no answer within {options.ConnectTimeout.TotalSeconds:0.#} s"
                    + " (a monitor of QEMU serves one client at a time)", e)
                : new QmpConnectionException($"{endpoint}: {e.Message}", e);
        }
    }

    /// <summary>Sends a command and waits for its reply.</summary>
    /// <exception cref="CallNotSentException">The connection was over before.</exception>
    public async Task<QmpReply?> CallAsync(string command, IQapiWritable? arguments, QmpCallOptions options, CancellationToken cancellationToken)
    {
        if (options.OutOfBand && !IsOutOfBandEnabled)
        {
            throw new NotSupportedException($"'{command}' cannot overtake: the server has not offered oob, or it is not switched on");
        }

        if (options.Descriptors.Count > 0)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Descriptors.Count, PassedDescriptors.MaxCount);
            if (!_transport.CanPassDescriptors)
            {
                throw new NotSupportedException("descriptors can be passed over a Unix socket only");
            }
        }

        var call = new ClientCall(Interlocked.Increment(ref _lastId), command, arguments, options.OutOfBand, options.Descriptors);
        if (options.NoReply)
        {
            try
            {
                _handler.Send(call);
                return null;
            }
            catch (IOException)
            {
                throw new CallNotSentException();
            }
        }

        if (!options.OutOfBand)
        {
            await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        // The place is free when the reply has come, whether or not the caller still waits.
        var running = RunAsync(call);
        if (!cancellationToken.CanBeCanceled)
        {
            return await running.ConfigureAwait(false);
        }

        try
        {
            return await running.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _ = running.ContinueWith(static done => done.Exception, TaskScheduler.Default); // seen
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _transport.DisposeAsync().ConfigureAwait(false);
        _rpc.Dispose();
    }

    private async Task<QmpReply> RunAsync(ClientCall call)
    {
        try
        {
            return await _rpc.CallAsync(call).ConfigureAwait(false);
        }
        finally
        {
            if (!call.IsOutOfBand)
            {
                _places.Release();
            }
        }
    }

    private async Task NegotiateAsync(QmpClientOptions options, CancellationToken cancellationToken)
    {
        if (options.Dialect == QmpDialect.GuestAgent)
        {
            await SynchronizeAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        Listen();
        var first = await Task.WhenAny(_handler.Greeting, Ended).WaitAsync(cancellationToken).ConfigureAwait(false);
        Greeting = first == _handler.Greeting
            ? await _handler.Greeting.ConfigureAwait(false)
            : throw new QmpConnectionException("the server closed the connection without a greeting", Failure);
        IsOutOfBandEnabled = options.EnableOutOfBand && Greeting.Capabilities.Contains("oob");
        await CallAsync("qmp_capabilities", IsOutOfBandEnabled ? new RawArguments("""{"enable": ["oob"]}"""u8) : null, Plain, cancellationToken).ConfigureAwait(false);
    }

    // 0xFF makes the agent forget half a message of an earlier client; it answers with one before its reply.
    private async Task SynchronizeAsync(CancellationToken cancellationToken)
    {
        long sync = Random.Shared.Next(1, int.MaxValue);
        _handler.SkipUntilSynchronized(sync);
        await _transport.SendAsync(new byte[] { 0xFF }, []).ConfigureAwait(false);
        Listen();
        _lastId = sync; // ids that an earlier client cannot have used
        await CallAsync("guest-sync-delimited", new RawArguments(System.Text.Encoding.ASCII.GetBytes($$"""{"id": {{sync}}}""")), Plain, cancellationToken).ConfigureAwait(false);
    }

    private static readonly QmpCallOptions Plain = new();

    private void Listen()
    {
        _rpc.StartListening();
        Ended = EndAsync();
    }

    private async Task EndAsync()
    {
        try
        {
            await _rpc.Completion.ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The handler knows why.
        }
    }
}
