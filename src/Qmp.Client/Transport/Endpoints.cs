using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Nerdbank.Streams;

namespace Qmp.Client;

/// <summary>A socket to connect to.</summary>
internal sealed class SocketEndpoint(string text, EndPoint address) : QmpEndpoint
{
    public override string ToString() => text;

    internal override async ValueTask<ClientTransport> OpenAsync(CancellationToken cancellationToken)
    {
        var isUnix = address is UnixDomainSocketEndPoint;
        var socket = isUnix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, cancellationToken).ConfigureAwait(false);
            return new SocketTransport(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>A descriptor that is open already.</summary>
internal sealed class DescriptorEndpoint(int descriptor) : QmpEndpoint
{
    public override bool CanReconnect => false;

    public override string ToString() => $"fd:{descriptor}";

    internal override ValueTask<ClientTransport> OpenAsync(CancellationToken cancellationToken)
    {
        var handle = new SafeSocketHandle(descriptor, ownsHandle: true);
        try
        {
            return new(new SocketTransport(new Socket(handle)));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.NotSocket)
        {
            handle.SetHandleAsInvalid(); // the file below owns it
            var file = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.ReadWrite, bufferSize: 0);
            return new(new PipeTransport(file.UsePipe(cancellationToken: CancellationToken.None)));
        }
    }
}

/// <summary>A stream that is open already.</summary>
internal sealed class StreamEndpoint(Stream stream) : QmpEndpoint
{
    public override bool CanReconnect => false;

    public override string ToString() => "stream";

    internal override ValueTask<ClientTransport> OpenAsync(CancellationToken cancellationToken) =>
        new(new PipeTransport(stream.UsePipe(cancellationToken: CancellationToken.None)));
}

/// <summary>A pair of pipes.</summary>
internal sealed class PipeEndpoint(IDuplexPipe pipe) : QmpEndpoint
{
    public override bool CanReconnect => false;

    public override string ToString() => "pipe";

    internal override ValueTask<ClientTransport> OpenAsync(CancellationToken cancellationToken) => new(new PipeTransport(pipe));
}
