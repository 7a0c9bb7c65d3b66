using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Qmp.Client;

/// <summary>A connected stream socket, which can pass descriptors if it is a Unix socket.</summary>
internal sealed class SocketTransport(Socket socket) : ClientTransport
{
    public override PipeReader Input { get; } = PipeReader.Create(
        new NetworkStream(socket, ownsSocket: true), new StreamPipeReaderOptions(bufferSize: 16 << 10, leaveOpen: false));

    public override bool CanPassDescriptors => socket.AddressFamily == AddressFamily.Unix;

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, IReadOnlyList<SafeHandle> descriptors)
    {
        if (descriptors.Count > 0)
        {
            // They go along with the first byte, in a message of their own: what a server receives between them and
            // the end of their command cannot bring others.
            await PassedDescriptors.SendAsync(socket, bytes.Span[0], descriptors).ConfigureAwait(false);
            bytes = bytes[1..];
        }

        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes).ConfigureAwait(false)..];
        }
    }

    public override ValueTask DisposeAsync()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The other end was faster, or this is the second time.
        }

        socket.Dispose();
        return default;
    }
}
