using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;
using Qmp.Protocol.Qapi;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace Qmp.Protocol.Wire;

/// <summary>
/// A message of a client, as the engine of StreamJsonRpc sees it. Its <c>Method</c> is one constant, because the engine
/// dispatches only what is registered and no name from the wire may reach what else is; its <c>RequestId</c> is made
/// up, because on the wire an id may be any JSON value or missing. What the client sent stands in a document that the
/// request owns, so nothing of the read buffer is needed after the read. <c>Arguments</c> stays null: the engine's
/// event source would print them, and arguments may be secrets. Belongs to its handler's scheduler; used again after
/// the reply was written, perhaps while the engine still holds it: it looks at nothing that differs then.
/// </summary>
public sealed class QmpRequest : JsonRpcRequest, IValueTaskSource<JsonRpcMessage>
{
    /// <summary>The one method that the engine knows.</summary>
    public const string ConstantMethod = "qmp";

    private ManualResetValueTaskSourceCore<JsonRpcMessage> _dispatched;

    internal QmpRequest()
    {
        Method = ConstantMethod;
        Result = new QmpResult(this);
    }

    /// <summary>Whether it overtakes: <c>exec-oob</c> without <c>execute</c>, on a connection that enabled it.</summary>
    public bool IsOutOfBand { get; private set; }

    /// <summary>What is wrong with the message, to be answered in its turn; null when it names a command.</summary>
    public string? Error { get; private set; }

    /// <summary>Name of the command, UTF-8; empty when <see cref="Error"/> is set.</summary>
    public ReadOnlySpan<byte> CommandName => _command < 0 ? default : Document!.TextOf(_command);

    /// <summary>Its arguments, an object. Valid until the reply has been written.</summary>
    public QapiDocument CommandArguments => _arguments < 0 ? QapiDocument.EmptyObject : Document!;

    internal QapiDocument? Document { get; private set; }

    internal QmpResult Result { get; }

    internal int IdNode { get; private set; } = -1;

    /// <summary>The descriptor that came with it, until its turn comes.</summary>
    internal SafeHandle? Descriptor { get; set; }

    private int _command = -1;
    private int _arguments = -1;

    JsonRpcMessage IValueTaskSource<JsonRpcMessage>.GetResult(short token) => _dispatched.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<JsonRpcMessage>.GetStatus(short token) => _dispatched.GetStatus(token);

    void IValueTaskSource<JsonRpcMessage>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _dispatched.OnCompleted(continuation, state, token, flags);

    /// <summary>Takes on a new message.</summary>
    /// <param name="number">The engine's id.</param>
    /// <param name="document">What came, owned from now on; null when it was no JSON.</param>
    /// <param name="error">The error of the framer, or null.</param>
    /// <param name="isOobEnabled">Whether <c>exec-oob</c> is known.</param>
    internal void Begin(long number, QapiDocument? document, string? error, bool isOobEnabled)
    {
        RequestId = new RequestId(number);
        Document = document;
        Error = error;
        IsOutOfBand = false;
        IdNode = -1;
        _command = -1;
        _arguments = -1;
        if (document != null)
        {
            var envelope = new QmpEnvelope(document, isOobEnabled);
            Error = envelope.Error;
            IsOutOfBand = envelope.IsOutOfBand;
            IdNode = envelope.Id;
            _command = envelope.Error == null ? envelope.Command : -1;
            _arguments = envelope.Arguments;
            document.Root = Math.Max(0, _arguments);
        }
    }

    /// <summary>Lets go of the message.</summary>
    /// <returns>Its document, for the pool.</returns>
    internal QapiDocument? End()
    {
        var document = Document;
        Document = null;
        Result.Value = null;
        return document;
    }

    /// <summary>What a dispatch that is not finished returns; <see cref="SetDispatched"/> finishes it.</summary>
    internal ValueTask<JsonRpcMessage> BeginDispatch()
    {
        _dispatched.Reset();
        return new ValueTask<JsonRpcMessage>(this, _dispatched.Version);
    }

    /// <summary>Hands the reply to the engine, which sends it before this returns.</summary>
    internal void SetDispatched(JsonRpcMessage reply)
    {
        // With a synchronization context the engine's own tasks would go on in the thread pool.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            _dispatched.SetResult(reply);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }
}
