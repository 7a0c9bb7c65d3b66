using System.Buffers;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Wire;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace Qmp.Client;

/// <summary>
/// The client's end of the wire for the engine of StreamJsonRpc. What arrives gets its place in the order here, before
/// the engine carries replies to other threads: events go to their subscriptions at once, so that who has seen a reply
/// finds every earlier event in its subscription. A reply that nobody waits for is dropped here, because the engine would
/// end the connection for it.
/// </summary>
internal sealed class ClientMessageHandler : IJsonRpcMessageHandler
{
    private const byte Sentinel = 0xFF;

    private readonly ClientTransport _transport;
    private readonly EventHub _events;
    private readonly Func<long> _nextSequence;
    private readonly OutputQueue _output;
    private readonly JsonMessageReader _framer = new();
    private readonly QapiDocumentPool _documents = new();
    private readonly Lock _lock = new();

    // In the order in which they were sent: an error that could not name its command belongs to the first.
    private readonly OrderedDictionary<long, ClientCall> _outstanding = [];
    private readonly TaskCompletionSource<QmpGreeting> _greeting = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ReadOnlySequence<byte> _buffer;
    private bool _hasBuffer;
    private bool _isLast;
    private bool _isAgent;
    private bool _isSkipping;
    private long? _sync;

    public ClientMessageHandler(ClientTransport transport, EventHub events, Func<long> nextSequence)
    {
        _transport = transport;
        _events = events;
        _nextSequence = nextSequence;
        _output = new OutputQueue(transport, Fail);
    }

    public bool CanRead => true;

    public bool CanWrite => true;

    public IJsonRpcMessageFormatter Formatter { get; } = new ClientFormatter();

    /// <summary>Completed by the server's greeting.</summary>
    public Task<QmpGreeting> Greeting => _greeting.Task;

    /// <summary>Why the connection ended, if not by its end.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>A guest agent: all is thrown away up to the answer to this synchronization. Before anything is read.</summary>
    public void SkipUntilSynchronized(long sync)
    {
        _sync = sync;
        _isAgent = true;
        _isSkipping = true;
        _greeting.TrySetResult(new QmpGreeting(default));
    }

    /// <summary>Registers a call that the engine is about to send.</summary>
    public void Register(ClientCall call)
    {
        lock (_lock)
        {
            _outstanding.Add(call.Id, call);
        }
    }

    /// <summary>The call with an id; removes it.</summary>
    public void Forget(long id)
    {
        lock (_lock)
        {
            _outstanding.Remove(id);
        }
    }

    /// <summary>Sends a call.</summary>
    /// <exception cref="IOException">The connection is over; nothing was sent.</exception>
    public void Send(ClientCall call)
    {
        _output.Add(call);
        call.IsSent = true;
    }

    /// <inheritdoc/>
    /// <remarks>Completes at once; sending goes on by itself.</remarks>
    public ValueTask WriteAsync(JsonRpcMessage jsonRpcMessage, CancellationToken cancellationToken)
    {
        // Cancelled by the engine at the end of the connection, before it fails the calls that it knows. A call that
        // it learns of later would wait for ever if this succeeded.
        cancellationToken.ThrowIfCancellationRequested();

        // Under the lock, so that calls leave in the order in which errors without an id are told apart.
        lock (_lock)
        {
            if (_outstanding.TryGetValue(((JsonRpcRequest)jsonRpcMessage).RequestId.Number ?? -1, out var call))
            {
                _outstanding.Remove(call.Id);
                _outstanding.Add(call.Id, call);
                Send(call);
            }
        }

        return default;
    }

    /// <inheritdoc/>
    /// <remarks>Never throws: that the connection broke is its end.</remarks>
    public async ValueTask<JsonRpcMessage?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                if (TryTake() is { } message)
                {
                    return message;
                }

                if (_isLast)
                {
                    return null;
                }

                var result = await _transport.Input.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                _buffer = result.Buffer;
                _hasBuffer = true;
                _isLast = result.IsCompleted || result.IsCanceled;
            }
        }
        catch (Exception e)
        {
            Fail(e);
            return null;
        }
    }

    private void Fail(Exception e)
    {
        Failure ??= e;
        _greeting.TrySetException(e);
        _ = _transport.DisposeAsync().AsTask();
    }

    // The next reply that somebody waits for. Uses up the buffer when there is none.
    private JsonRpcMessage? TryTake()
    {
        while (_hasBuffer)
        {
            var span = _buffer.FirstSpan;
            if (_isSkipping)
            {
                var end = span.IndexOf(Sentinel);
                _isSkipping = end < 0;
                Advance(end < 0 ? span.Length : end + 1);
                continue;
            }

            if (!_framer.TryRead(span, out var used, _documents, out var document, out var error))
            {
                Advance(span.Length);
                continue;
            }

            Advance(used);
            if (error is not null)
            {
                throw new QmpProtocolException($"the server sent something that is not JSON: {error}");
            }

            if (Accept(document!) is { } message)
            {
                return message;
            }
        }

        return null;
    }

    private void Advance(int count)
    {
        _buffer = _buffer.Slice(count);
        if (_buffer.IsEmpty)
        {
            _hasBuffer = false;
            _transport.Input.AdvanceTo(_buffer.End);
        }
    }

    private JsonRpcMessage? Accept(QapiDocument document)
    {
        if (document.RootKind != QapiKind.Object)
        {
            throw new QmpProtocolException("the server sent a message that is not an object");
        }

        try
        {
            return AcceptObject(document);
        }
        catch (QmpException e)
        {
            throw new QmpProtocolException($"the server sent a malformed message: {e.Description}", e);
        }
    }

    private JsonRpcMessage? AcceptObject(QapiDocument document)
    {
        var reader = new QapiReader(document, isLenient: true);
        reader.BeginObject();
        if (reader.Optional("event"u8))
        {
            _events.Publish(new QmpReceivedEvent(document, _nextSequence()));
            return null;
        }

        if (reader.Optional("QMP"u8))
        {
            _greeting.TrySetResult(new QmpGreeting(reader.ReadAny()));
            return null;
        }

        var isError = reader.Optional("error"u8);
        if (!isError && !reader.Optional("return"u8))
        {
            throw new QmpProtocolException("the server sent a message that is no greeting, event or reply");
        }

        if (_sync is { } sync && !IsSynchronized(ref reader, isError, sync))
        {
            _isSkipping = true;
            return null;
        }

        return TakeCall(document, isError) is { } call ? NewReply(document, call, isError) : null;
    }

    // The answer to another client's synchronization may still be on its way.
    private bool IsSynchronized(ref QapiReader reader, bool isError, long sync)
    {
        if (!isError && (reader.Kind != QapiKind.Integer || reader.ReadInt64() != sync))
        {
            return false;
        }

        _sync = null;
        return true;
    }

    // Without an id: a server of QMP could not read the command; an agent of old times never sends one.
    private ClientCall? TakeCall(QapiDocument document, bool isError)
    {
        var reader = new QapiReader(document, isLenient: true);
        reader.BeginObject();
        var hasId = reader.Optional("id"u8);
        lock (_lock)
        {
            var id = hasId ? reader.Kind == QapiKind.Integer ? reader.ReadInt64() : -1
                : isError || _isAgent ? _outstanding.Values.FirstOrDefault(call => !call.IsOutOfBand)?.Id ?? -1
                : -1;
            return _outstanding.Remove(id, out var call) ? call : null;
        }
    }

    private JsonRpcMessage NewReply(QapiDocument document, ClientCall call, bool isError)
    {
        var sequence = _nextSequence();
        if (!isError)
        {
            return new ClientResult(new QmpReply(call.Command, document, sequence), null) { RequestId = new RequestId(call.Id) };
        }

        var reader = new QapiReader(document, isLenient: true);
        reader.BeginObject();
        reader.Member("error"u8).BeginObject();
        var className = reader.Optional("class"u8) ? reader.ReadString() : "GenericError";
        var description = reader.Optional("desc"u8) ? reader.ReadString() : "";
        return new ClientResult(null, new QmpCommandException(call.Command, className, description)) { RequestId = new RequestId(call.Id) };
    }
}
