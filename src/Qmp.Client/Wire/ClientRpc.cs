using StreamJsonRpc;

namespace Qmp.Client;

/// <summary>
/// The client's end on the engine of StreamJsonRpc: it pairs replies with calls and carries them to their callers. It
/// never sees arguments, which may be secrets and which its tracing would print: the handler knows the call by its id.
/// </summary>
internal sealed class ClientRpc : JsonRpc
{
    private readonly ClientMessageHandler _handler;

    public ClientRpc(ClientMessageHandler handler)
        : base(handler)
    {
        _handler = handler;

        // A call whose caller has left is not withdrawn: QMP cannot. Its reply is dropped.
        CancellationStrategy = null;
        TraceSource.Switch.Level = System.Diagnostics.SourceLevels.Off;
    }

    /// <summary>Sends a call and waits for its reply.</summary>
    /// <exception cref="QmpCommandException">The server refused.</exception>
    /// <exception cref="CallNotSentException">The connection was lost before it was sent.</exception>
    /// <exception cref="QmpCallInterruptedException">The connection was lost.</exception>
    public async Task<QmpReply> CallAsync(ClientCall call)
    {
        _handler.Register(call);
        ClientResult result;
        try
        {
            result = await InvokeCoreAsync<ClientResult>(new RequestId(call.Id), call.Command, null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception) when (!call.IsSent)
        {
            throw new CallNotSentException();
        }
        catch (Exception e)
        {
            throw new QmpCallInterruptedException(call.Command, _handler.Failure ?? e);
        }
        finally
        {
            _handler.Forget(call.Id);
        }

        return result.Outcome;
    }
}
