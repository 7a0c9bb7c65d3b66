using System.IO.Pipelines;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Qmp.Client;

/// <summary>A connected socket that .NET does not know as one. Reading keeps a worker waiting.</summary>
internal sealed class VsockTransport : ClientTransport
{
    private readonly SafeFileHandle _socket;
    private readonly FileStream _stream;

    public VsockTransport(SafeFileHandle socket)
    {
        _socket = socket;
        _stream = new FileStream(socket, FileAccess.ReadWrite, bufferSize: 0);
        Input = PipeReader.Create(_stream, new StreamPipeReaderOptions(bufferSize: 16 << 10, leaveOpen: false));
    }

    public override PipeReader Input { get; }

    public override ValueTask SendAsync(ReadOnlyMemory<byte> bytes, IReadOnlyList<SafeHandle> descriptors) => _stream.WriteAsync(bytes);

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        if (!_socket.IsClosed)
        {
            VsockSocket.Shutdown(_socket); // or the worker would go on to wait
        }

        return _stream.DisposeAsync();
    }
}
