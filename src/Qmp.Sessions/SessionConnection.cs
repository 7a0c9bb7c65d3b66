using System.Net.Sockets;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Qmp.Aio;

namespace Qmp.Sessions;

/// <summary>One connection of a session, as lines and bytes. One reader and one writer at a time.</summary>
public sealed class SessionConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly LineBuffer _lines = new();
    private readonly List<SafeFileHandle> _descriptors = [];

    /// <summary>Takes over a connected socket.</summary>
    public SessionConnection(Socket socket) => _socket = socket;

    /// <summary>Whether something is there that no call has asked for; not whether it is a whole line.</summary>
    public bool HasPendingInput => _lines.Pending > 0 || _socket.Poll(0, SelectMode.SelectRead);

    /// <summary>Keeps a descriptor that goes along with the next bytes.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public void Attach(string description) => _descriptors.Add(SessionDescriptor.Open(description));

    /// <summary>Sends bytes, and the descriptors that were attached.</summary>
    /// <exception cref="SocketException">The other side is gone.</exception>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        if (_descriptors.Count > 0 && bytes.Length > 0)
        {
            bytes = bytes[SendWithDescriptors(bytes.Span)..];
        }

        while (bytes.Length > 0)
        {
            bytes = bytes[await _socket.SendAsync(bytes, cancellation)..];
        }
    }

    /// <summary>Sends a text and CR LF.</summary>
    /// <exception cref="SocketException">The other side is gone.</exception>
    public Task SendLineAsync(string text, CancellationToken cancellation) => SendAsync(Encoding.UTF8.GetBytes(text + "\r\n"), cancellation);

    /// <summary>The next line without its ending, or null at the end of the stream.</summary>
    /// <exception cref="InvalidDataException">The line is longer than allowed, or the stream ended inside it.</exception>
    /// <exception cref="OperationCanceledException">It did not come in time.</exception>
    public async Task<string?> ReadLineAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (_lines.TryTake(out var line))
            {
                return Encoding.UTF8.GetString(line);
            }

            int count;
            try
            {
                count = await _socket.ReceiveAsync(_lines.Room(), cancellation);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                count = 0;
            }

            if (count == 0)
            {
                return _lines.Pending == 0 ? null
                    : throw new InvalidDataException($"the connection was closed inside a line: {Encoding.UTF8.GetString(_lines.TakeRest())}");
            }

            _lines.Added(count);
        }
    }

    /// <summary>Receives bytes as they come; 0 at the end.</summary>
    public async Task<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer, cancellation);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    /// <summary>Says that nothing more will be sent.</summary>
    public void EndSending()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The other side is gone.
        }
    }

    /// <summary>Closes it.</summary>
    public void Dispose()
    {
        DropDescriptors();
        _socket.Dispose();
    }

    private int SendWithDescriptors(ReadOnlySpan<byte> bytes)
    {
        Span<int> numbers = stackalloc int[_descriptors.Count];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = (int)_descriptors[i].DangerousGetHandle();
        }

        while (true)
        {
            var sent = Libc.SendWithDescriptors((int)_socket.Handle, bytes, numbers, Libc.MSG_DONTWAIT);
            if (sent >= 0)
            {
                DropDescriptors();
                return (int)sent;
            }

            if (sent is not (-Errno.EAGAIN or -Errno.EINTR))
            {
                throw new IOException($"cannot pass descriptors: {Errno.Describe((int)sent)}");
            }

            _ = _socket.Poll(-1, SelectMode.SelectWrite);
        }
    }

    private void DropDescriptors()
    {
        foreach (var descriptor in _descriptors)
        {
            descriptor.Dispose();
        }

        _descriptors.Clear();
    }
}
