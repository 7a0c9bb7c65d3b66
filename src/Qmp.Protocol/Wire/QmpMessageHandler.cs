using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;
using Qmp.Protocol.Qapi;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace Qmp.Protocol.Wire;

/// <summary>
/// Takes requests from a pipe and writes replies and events to one, for the engine of StreamJsonRpc. It owns the order:
/// an in-band request is handed out when the reply to the one before it stands in the output queue, an out-of-band one
/// at once. It owns the limits: while too much is queued, requests or output, nothing is read. Nothing that a client
/// sends makes it throw: bad JSON is a request that carries its error. It runs on one <see cref="QmpScheduler"/>; what
/// the engine or a pipe calls elsewhere is handed over.
/// </summary>
public sealed class QmpMessageHandler : IJsonRpcMessageHandler, IValueTaskSource<JsonRpcMessage?>, IDisposable
{
    /// <summary>Requests that wait behind a running one, when <c>oob</c> is enabled; otherwise none is read.</summary>
    public const int MaxQueuedRequests = 8;

    /// <summary>Bytes of output that wait, above which no further request is taken.</summary>
    public const int OutputPause = 1 << 20;

    /// <summary>Bytes of output that wait, above which the client counts as gone.</summary>
    public const int OutputLimit = 64 << 20;

    // Messages in a row before others on the loop get their turn.
    private const int MessagesPerTurn = 64;

    private readonly IDuplexPipe _transport;
    private readonly QmpMessageFormatter _formatter;
    private readonly QmpScheduler _scheduler;
    private readonly JsonMessageReader _framer = new();
    private readonly Queue<QmpRequest> _queue = new(MaxQueuedRequests);
    private readonly List<QmpRequest> _outOfBand = [];
    private readonly QapiWriter _output;
    private readonly Action _onReadable;
    private readonly Action _onFlushed;

    private ManualResetValueTaskSourceCore<JsonRpcMessage?> _read;
    private ConfiguredValueTaskAwaitable<ReadResult>.ConfiguredValueTaskAwaiter _reading;
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flushing;
    private ReadOnlySequence<byte> _buffer;
    private QmpRequest? _active;
    private SafeHandle? _arriving;
    private SafeHandle? _descriptor;
    private long _parsedBytes;
    private int _inTurn;
    private bool _hasBuffer;
    private bool _isLastBuffer;
    private bool _isReading;
    private bool _isFirstRead;
    private bool _hasRead;
    private bool _isReadPending;
    private bool _isPumpPosted;
    private bool _isFlushing;
    private bool _isInputOver;
    private bool _isOutputOver;
    private bool _isDisposed;

    /// <summary>A handler that does nothing until the engine reads.</summary>
    /// <param name="transport">Where bytes come from and go to; completed when the engine is through.</param>
    /// <param name="formatter">Its formatter, used by nobody else.</param>
    /// <param name="scheduler">Where everything happens.</param>
    public QmpMessageHandler(IDuplexPipe transport, QmpMessageFormatter formatter, QmpScheduler scheduler)
    {
        _transport = transport;
        _formatter = formatter;
        _scheduler = scheduler;
        _output = new QapiWriter(formatter.IsPretty);
        _onReadable = OnReadable;
        _onFlushed = OnFlushed;
    }

    /// <summary>Called once, on the scheduler, when the client reads so slowly that <see cref="OutputLimit"/> is passed.</summary>
    public Action? Overflowed { get; set; }

    /// <summary>Called once, on the scheduler, before the first message is taken.</summary>
    public Action? ReadingBegins { get; init; }

    /// <summary>Where descriptors come from that clients pass; null for nowhere.</summary>
    public IQmpDescriptorSource? Descriptors { get; init; }

    /// <inheritdoc/>
    public bool CanRead => true;

    /// <inheritdoc/>
    public bool CanWrite => true;

    /// <inheritdoc/>
    public IJsonRpcMessageFormatter Formatter => _formatter;

    /// <summary>Bytes of output that wait.</summary>
    public int QueuedOutputBytes => _output.WrittenSpan.Length;

    private bool IsOutputFull => _isFlushing && QueuedOutputBytes > OutputPause;

    /// <inheritdoc/>
    /// <remarks>Completes on the scheduler. Null only when the client has sent its last and everything is answered.</remarks>
    public ValueTask<JsonRpcMessage?> ReadAsync(CancellationToken cancellationToken)
    {
        if (!_scheduler.IsCurrent)
        {
            // The engine's first read comes from the thread pool. It begins when the engine waits for it: completed
            // before that, the engine would go on there instead of on the scheduler.
            _isFirstRead = true;
            _read.Reset();
            return new ValueTask<JsonRpcMessage?>(this, _read.Version);
        }

        BeginReading();

        // The engine's loop would not yield by itself as long as this completes at once.
        if (_inTurn < MessagesPerTurn && TryTake(out var message))
        {
            _inTurn++;
            return new ValueTask<JsonRpcMessage?>(message);
        }

        _read.Reset();
        _isReadPending = true;
        if (_inTurn >= MessagesPerTurn)
        {
            PostPump();
        }

        Flush();
        return new ValueTask<JsonRpcMessage?>(this, _read.Version);
    }

    /// <inheritdoc/>
    /// <remarks>Completes at once: the bytes stand in the output queue, and a slow client delays nobody.</remarks>
    public ValueTask WriteAsync(JsonRpcMessage jsonRpcMessage, CancellationToken cancellationToken)
    {
        if (_scheduler.IsCurrent)
        {
            Write(jsonRpcMessage);
        }
        else
        {
            _scheduler.Post(
                static state =>
                {
                    var (handler, message) = ((QmpMessageHandler, JsonRpcMessage))state!;
                    handler.Write(message);
                },
                (this, jsonRpcMessage));
        }

        return default;
    }

    /// <summary>Sends a line that is no reply: greeting or event. On the scheduler. Never blocks.</summary>
    /// <param name="line">The line without its end.</param>
    public void Send(ReadOnlySpan<byte> line)
    {
        Queue(line);

        // Inside a turn the next read flushes. Before the first one there is no turn: the client waits for the greeting.
        if (_isReadPending || !_hasRead)
        {
            Flush();
        }
    }

    /// <summary>
    /// Takes the descriptor that came with the in-band command that runs. One that a command leaves is there for the
    /// next, until another comes. On the scheduler.
    /// </summary>
    /// <returns>The descriptor, which is the caller's from now on; null when there is none.</returns>
    public SafeHandle? TakeDescriptor()
    {
        var descriptor = _descriptor;
        _descriptor = null;
        return descriptor;
    }

    /// <summary>Ends the connection: completes the pipes, after what is queued for output. <b>Any</b>.</summary>
    public void Dispose()
    {
        if (_scheduler.IsCurrent)
        {
            DisposeCore();
        }
        else
        {
            _scheduler.Post(static handler => ((QmpMessageHandler)handler!).DisposeCore(), this);
        }
    }

    /// <summary>
    /// Between two commands what the engine does between them, for a fraction of its time: the reply goes to the output
    /// queue, the next request comes out of what has been received. Inside a dispatch, on the scheduler.
    /// </summary>
    /// <param name="reply">The reply to the request that was dispatched.</param>
    /// <param name="next">The next one.</param>
    /// <returns>False when none may run now: the reply has not been taken and is the engine's to send.</returns>
    internal bool TryFollow(JsonRpcMessage reply, [NotNullWhen(true)] out QmpRequest? next)
    {
        next = null;
        if (_isDisposed || _active != RequestOf(reply) || _inTurn >= MessagesPerTurn || IsOutputFull
            || !(_queue.TryDequeue(out next) || TryParse(out next)))
        {
            return false;
        }

        _inTurn++;
        Write(reply);
        Take(next);
        return true;
    }

    JsonRpcMessage? IValueTaskSource<JsonRpcMessage?>.GetResult(short token) => _read.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<JsonRpcMessage?>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<JsonRpcMessage?>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        _read.OnCompleted(continuation, state, token, flags);
        if (_isFirstRead)
        {
            _isFirstRead = false;
            _scheduler.Post(static handler => ((QmpMessageHandler)handler!).BeginPendingRead(), this);
        }
    }

    private void BeginPendingRead()
    {
        _isReadPending = true;
        BeginReading();
        Pump();
    }

    private void BeginReading()
    {
        if (!_hasRead)
        {
            _hasRead = true;
            ReadingBegins?.Invoke();
        }
    }

    // Completes the engine's read, if it waits and there is something. The engine goes on inside.
    private void Pump()
    {
        _isPumpPosted = false;
        _inTurn = 0;
        if (_isReadPending && TryTake(out var message))
        {
            _isReadPending = false;
            _inTurn = 1;
            _read.SetResult(message);
        }
    }

    private void PostPump()
    {
        if (!_isPumpPosted)
        {
            _isPumpPosted = true;
            _scheduler.Post(static handler => ((QmpMessageHandler)handler!).Pump(), this);
        }
    }

    // The next message that may run now. True with null: there will be none.
    private bool TryTake(out JsonRpcMessage? message)
    {
        message = null;
        while (!_isDisposed)
        {
            if (_active == null && _queue.TryDequeue(out var request))
            {
                message = Take(request);
                return true;
            }

            if (IsOutputFull || (_active != null && (!_formatter.IsOobEnabled || _queue.Count >= MaxQueuedRequests)))
            {
                return false;
            }

            if (!TryParse(out request))
            {
                if (_isInputOver)
                {
                    return _active == null && _outOfBand.Count == 0;
                }

                if (!TryFill())
                {
                    return false;
                }

                continue;
            }

            if (request.IsOutOfBand || _active == null)
            {
                message = Take(request);
                return true;
            }

            _queue.Enqueue(request);
        }

        return true;
    }

    // The request runs from now on.
    private QmpRequest Take(QmpRequest request)
    {
        if (request.IsOutOfBand)
        {
            _outOfBand.Add(request);
        }
        else
        {
            _active = request;
            UseDescriptorOf(request);
        }

        return request;
    }

    private bool TryParse([NotNullWhen(true)] out QmpRequest? request)
    {
        while (_hasBuffer)
        {
            var span = _buffer.FirstSpan;
            if (_framer.TryRead(span, out var used, _formatter.Documents, out var document, out var error))
            {
                _buffer = _buffer.Slice(used);
                request = _formatter.NewRequest(document, error);
                Parsed(used);
                if (!request.IsOutOfBand)
                {
                    request.Descriptor = _arriving;
                    _arriving = null;
                }

                return true;
            }

            Parsed(span.Length);
            _buffer = _buffer.Slice(span.Length);
            if (_buffer.IsEmpty)
            {
                _hasBuffer = false;
                _transport.Input.AdvanceTo(_buffer.End);
                _isInputOver = _isLastBuffer;
            }
        }

        request = null;
        return false;
    }

    // A descriptor belongs to the message in whose bytes it came, the last one where there are several.
    private void Parsed(int bytes)
    {
        _parsedBytes += bytes;
        if (Descriptors?.TakeBefore(_parsedBytes) is { } descriptor)
        {
            _arriving?.Dispose();
            _arriving = descriptor;
        }
    }

    private void UseDescriptorOf(QmpRequest request)
    {
        if (request.Descriptor is { } descriptor)
        {
            request.Descriptor = null;
            _descriptor?.Dispose();
            _descriptor = descriptor;
        }
    }

    // True when there are new bytes, or the end.
    private bool TryFill()
    {
        if (_isReading)
        {
            return false;
        }

        try
        {
            if (_transport.Input.TryRead(out var result))
            {
                Fill(result);
                return true;
            }

            _reading = _transport.Input.ReadAsync().ConfigureAwait(false).GetAwaiter();
            if (_reading.IsCompleted)
            {
                Fill(_reading.GetResult());
                return true;
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or OperationCanceledException)
        {
            _isInputOver = true; // the connection broke
            return true;
        }

        _isReading = true;
        _reading.UnsafeOnCompleted(_onReadable);
        return false;
    }

    private void Fill(ReadResult result)
    {
        _isLastBuffer = result.IsCompleted || result.IsCanceled;
        _buffer = result.Buffer;
        _hasBuffer = !_buffer.IsEmpty;
        if (!_hasBuffer)
        {
            _transport.Input.AdvanceTo(_buffer.End);
            _isInputOver = _isLastBuffer;
        }
    }

    private void OnReadable()
    {
        if (!_scheduler.IsCurrent)
        {
            _scheduler.Post(static handler => ((QmpMessageHandler)handler!).OnReadable(), this);
            return;
        }

        _isReading = false;
        try
        {
            var result = _reading.GetResult();
            if (_isDisposed)
            {
                return;
            }

            Fill(result);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or OperationCanceledException)
        {
            _isInputOver = true; // the connection broke
        }

        Pump();
    }

    private void Write(JsonRpcMessage message)
    {
        var request = RequestOf(message);
        if (request == null)
        {
            return; // answered already: the engine reports a failure of its own a second time
        }

        if (message is JsonRpcError and not QmpError)
        {
            message = new QmpError(request, ErrorClass.GenericError, "internal error");
        }

        Queue(request, message);
        if (request == _active)
        {
            _active = null; // the turn passes on here: the bytes stand in the queue
        }
        else
        {
            _outOfBand.Remove(request);
        }

        _formatter.Recycle(request);
        if (_isReadPending)
        {
            // The command took its time, the engine waits already: nobody else would go on.
            Flush();
            PostPump();
        }
    }

    private QmpRequest? RequestOf(JsonRpcMessage reply) => reply switch
    {
        QmpResult result => result.Request,
        QmpError error => error.Request ??= Outstanding(error.RequestId),
        JsonRpcError error => Outstanding(error.RequestId),
        _ => null,
    };

    private QmpRequest? Outstanding(RequestId id) =>
        _active != null && _active.RequestId.Equals(id) ? _active : _outOfBand.Find(request => request.RequestId.Equals(id));

    private void Queue(QmpRequest request, JsonRpcMessage message)
    {
        if (_isOutputOver)
        {
            return;
        }

        var start = QueuedOutputBytes;
        try
        {
            QmpMessageFormatter.Serialize(_output, message);
        }
        catch (Exception)
        {
            // A result that cannot be written; the client still gets its one reply.
            _output.Truncate(start);
            QmpMessageFormatter.Serialize(_output, new QmpError(request, ErrorClass.GenericError, "internal error"));
        }

        EndLine();
    }

    private void Queue(ReadOnlySpan<byte> line)
    {
        if (!_isOutputOver)
        {
            _output.Raw(line);
            EndLine();
        }
    }

    private void EndLine()
    {
        _output.EndLine();
        if (_isFlushing && QueuedOutputBytes > OutputLimit)
        {
            EndOutput();
            Overflowed?.Invoke();
        }
    }

    // One pump: what is queued goes to the pipe, unless the pipe is still full of what went before.
    private void Flush()
    {
        try
        {
            while (!_isFlushing && !_isOutputOver && QueuedOutputBytes > 0)
            {
                _transport.Output.Write(_output.WrittenSpan);
                _output.Reset();
                _flushing = _transport.Output.FlushAsync().ConfigureAwait(false).GetAwaiter();
                if (!_flushing.IsCompleted)
                {
                    _isFlushing = true;
                    _flushing.UnsafeOnCompleted(_onFlushed);
                }
                else if (_flushing.GetResult().IsCompleted)
                {
                    EndOutput();
                }
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or OperationCanceledException)
        {
            EndOutput();
        }
    }

    private void OnFlushed()
    {
        if (!_scheduler.IsCurrent)
        {
            _scheduler.Post(static handler => ((QmpMessageHandler)handler!).OnFlushed(), this);
            return;
        }

        _isFlushing = false;
        try
        {
            if (_flushing.GetResult().IsCompleted)
            {
                EndOutput();
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or OperationCanceledException)
        {
            EndOutput();
        }

        Flush();
        if (_isDisposed)
        {
            CompleteOutput();
        }
        else if (_isReadPending)
        {
            PostPump();
        }
    }

    // Nobody reads any more: what is queued and what comes is dropped.
    private void EndOutput()
    {
        _isOutputOver = true;
        _output.Reset();
    }

    private void DisposeCore()
    {
        if (_isDisposed)
        {
            return;
        }

        Flush();
        _isDisposed = true;
        DropDescriptors();
        if (_hasBuffer)
        {
            _hasBuffer = false;
            _transport.Input.AdvanceTo(_buffer.End);
        }

        if (_isReading)
        {
            _transport.Input.CancelPendingRead();
        }

        _transport.Input.Complete();
        CompleteOutput();
        if (_isReadPending)
        {
            _isReadPending = false;
            _read.SetResult(null);
        }
    }

    private void DropDescriptors()
    {
        _arriving?.Dispose();
        TakeDescriptor()?.Dispose();
        foreach (var request in _queue)
        {
            request.Descriptor?.Dispose();
        }

        _queue.Clear();
    }

    private void CompleteOutput()
    {
        if (!_isFlushing)
        {
            _transport.Output.Complete();
        }
    }
}
