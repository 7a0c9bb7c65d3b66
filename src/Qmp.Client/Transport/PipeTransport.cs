using System.IO.Pipelines;
using System.Runtime.InteropServices;

namespace Qmp.Client;

/// <summary>A pair of pipes.</summary>
internal sealed class PipeTransport(IDuplexPipe pipe) : ClientTransport
{
    public override PipeReader Input => pipe.Input;

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, IReadOnlyList<SafeHandle> descriptors)
    {
        var result = await pipe.Output.WriteAsync(bytes).ConfigureAwait(false);
        if (result.IsCompleted)
        {
            throw new IOException("the server has closed the connection");
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await pipe.Output.CompleteAsync().ConfigureAwait(false);
        pipe.Input.CancelPendingRead();
    }
}
