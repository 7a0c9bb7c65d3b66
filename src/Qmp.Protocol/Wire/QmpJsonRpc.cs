using Qmp.Protocol.Qapi;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace Qmp.Protocol.Wire;

/// <summary>
/// The server's end of a QMP connection on the engine of StreamJsonRpc. It looks commands up in the generated table
/// and calls their handlers; the engine's own dispatch by reflection is never reached. README.md beside the project
/// lists what the engine would do otherwise. Dispatch runs on the handler's scheduler.
/// </summary>
public sealed class QmpJsonRpc : JsonRpc
{
    private readonly QmpMessageHandler _handler;
    private readonly QmpMessageFormatter _formatter;
    private readonly IQmpCommandTable _commands;
    private readonly QmpCommandContext _context;
    private readonly Action<string, Exception>? _log;

    /// <summary>An engine that has not started: <see cref="JsonRpc.StartListening"/> does.</summary>
    /// <param name="handler">Its messages.</param>
    /// <param name="commands">The commands.</param>
    /// <param name="context">What command handlers get.</param>
    /// <param name="log">Told of a command that failed by a fault of ours.</param>
    public QmpJsonRpc(
        QmpMessageHandler handler, IQmpCommandTable commands, QmpCommandContext context, Action<string, Exception>? log = null)
        : base(handler)
    {
        _handler = handler;
        _formatter = (QmpMessageFormatter)handler.Formatter;
        _commands = commands;
        _context = context;
        _log = log;

        // Without a registered method of that name the engine would answer by itself. It is never invoked.
        AddLocalRpcMethod(QmpRequest.ConstantMethod, static () => { });

        // No "$/cancelRequest" of ours; that the name stays registered is harmless, see ConstantMethod.
        CancellationStrategy = null;

        // A command that has started finishes even when its client has gone.
        CancelLocallyInvokedMethodsWhenConnectionIsClosed = false;
        TraceSource.Switch.Level = System.Diagnostics.SourceLevels.Off;
    }

    /// <summary>Whether the client has said <c>qmp_capabilities</c>: from then on it gets events.</summary>
    public bool IsNegotiated { get; private set; }

    /// <summary>What <c>qmp_capabilities</c> does. On the scheduler.</summary>
    /// <param name="isOobEnabled">Whether the client enables <c>oob</c>.</param>
    /// <exception cref="QmpException">It has been said before.</exception>
    public void Negotiate(bool isOobEnabled)
    {
        if (IsNegotiated)
        {
            throw new QmpException(
                ErrorClass.CommandNotFound, "Capabilities negotiation is already complete, command ignored");
        }

        IsNegotiated = true;
        _formatter.IsOobEnabled = isOobEnabled;
    }

    /// <inheritdoc/>
    protected override ValueTask<JsonRpcMessage> DispatchRequestAsync(
        JsonRpcRequest request, TargetMethod targetMethod, CancellationToken cancellationToken)
    {
        // Commands that arrived together follow each other here, as long as each is through at once. The engine would
        // take them one by one, and spend more on each than everything else does.
        QmpRequest? next = (QmpRequest)request;
        ValueTask<JsonRpcMessage> reply;
        do
        {
            reply = Run(next);
        }
        while (reply.IsCompleted && _handler.TryFollow(reply.Result, out next));
        return reply;
    }

    /// <inheritdoc/>
    /// <remarks>What the engine answers by itself, when something of ours threw where nothing should: class and text only.</remarks>
    protected override JsonRpcError.ErrorDetail CreateErrorDetails(JsonRpcRequest request, Exception exception) =>
        new() { Code = JsonRpcErrorCode.InternalError, Message = Describe(exception) };

    /// <inheritdoc/>
    /// <remarks>The reply is used again for another request by now.</remarks>
    protected override void OnResponseSent(JsonRpcMessage response)
    {
    }

    private ValueTask<JsonRpcMessage> Run(QmpRequest request)
    {
        try
        {
            var running = Find(request).InvokeAsync(request.CommandArguments, _context);
            if (running.IsCompletedSuccessfully)
            {
                request.Result.Value = running.Result;
                return new ValueTask<JsonRpcMessage>(request.Result);
            }

            var dispatched = request.BeginDispatch();
            _ = FinishAsync(request, running);
            return dispatched;
        }
        catch (Exception e)
        {
            return new ValueTask<JsonRpcMessage>(NewError(request, e));
        }
    }

    private async Task FinishAsync(QmpRequest request, ValueTask<IQapiWritable?> running)
    {
        JsonRpcMessage reply;
        try
        {
            request.Result.Value = await running;
            reply = request.Result;
        }
        catch (Exception e)
        {
            reply = NewError(request, e);
        }

        request.SetDispatched(reply);
    }

    private QmpCommand Find(QmpRequest request)
    {
        if (request.Error != null)
        {
            throw new QmpException(request.Error);
        }

        if (!IsNegotiated && !request.CommandName.SequenceEqual("qmp_capabilities"u8))
        {
            throw new QmpException(
                ErrorClass.CommandNotFound, "Expecting capabilities negotiation with 'qmp_capabilities'");
        }

        if (!_commands.TryGet(request.CommandName, out var command))
        {
            throw new QmpException(
                ErrorClass.CommandNotFound, $"The command {System.Text.Encoding.UTF8.GetString(request.CommandName)} has not been found");
        }

        if (request.IsOutOfBand && !command.AllowOob)
        {
            throw new QmpException($"The command {command.Name} does not support OOB");
        }

        return command;
    }

    private QmpError NewError(QmpRequest request, Exception exception)
    {
        if (exception is QmpException qmp)
        {
            return new QmpError(request, qmp.ErrorClass, qmp.Description);
        }

        _log?.Invoke(System.Text.Encoding.UTF8.GetString(request.CommandName), exception);
        return new QmpError(request, ErrorClass.GenericError, Describe(exception));
    }

    private static string Describe(Exception exception) =>
        exception is QmpException qmp ? qmp.Description
        : exception is OperationCanceledException ? "The command was cancelled"
        : "internal error";
}
