namespace Qmp.Client;

/// <summary>A port of another machine on this host.</summary>
internal sealed class VsockEndpoint(uint cid, uint port) : QmpEndpoint
{
    public override string ToString() => $"vsock:{cid}:{port}";

    /// <inheritdoc/>
    /// <remarks>Connecting waits on a worker, by the kernel's default for two seconds at most.</remarks>
    internal override async ValueTask<ClientTransport> OpenAsync(CancellationToken cancellationToken)
    {
        var connecting = Task.Run(() => VsockSocket.Connect(cid, port), CancellationToken.None);
        try
        {
            return new VsockTransport(await connecting.WaitAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            _ = connecting.ContinueWith(
                static late => (late.IsCompletedSuccessfully ? late.Result : null)?.Dispose(), TaskScheduler.Default);
            throw;
        }
    }
}
