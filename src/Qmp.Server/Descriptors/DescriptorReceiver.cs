using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Qmp.Aio;
using Qmp.Protocol.Wire;

namespace Qmp.Server.Descriptors;

/// <summary>
/// Receives bytes from a Unix socket, and the descriptors that come with them. These wait here until the bytes are read
/// as commands. Of several in one message the first is kept, as QEMU does. <b>Main</b>.
/// </summary>
/// <param name="onRoom">Called when descriptors may come again.</param>
internal sealed class DescriptorReceiver(Action onRoom) : IQmpDescriptorSource, IDisposable
{
    private const int MaxWaiting = 16;

    private readonly Queue<(long Position, SafeFileHandle Descriptor)> _waiting = new();
    private long _receivedBytes;

    /// <summary>Whether so many wait that nothing should be received until some are taken.</summary>
    public bool IsFull => _waiting.Count >= MaxWaiting;

    /// <summary>Receives without waiting.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="buffer">Where to; it may be left unfilled although there is more.</param>
    /// <returns>Number of bytes, 0 at the end, or a negative error number.</returns>
    public long Receive(int socket, Span<byte> buffer)
    {
        var count = Libc.PeekForDescriptors(socket, buffer, out var hasDescriptors);
        if (count == -Errno.EAGAIN)
        {
            // An urgent byte (MSG_OOB) makes the socket readable and is passed over by a look: a real receive drops it.
            count = 1;
        }

        if (count <= 0)
        {
            return count;
        }

        // The kernel adds bytes that came before to those of a message with descriptors, and does not say where it
        // begins. So then at most one command is received at a time: none ends before the last byte of a piece.
        buffer = buffer[..(int)count];
        if (hasDescriptors && buffer.IndexOf((byte)'}') is var end and >= 0)
        {
            buffer = buffer[..(end + 1)];
        }

        Span<int> passed = stackalloc int[1];
        var received = Libc.ReceiveWithDescriptors(socket, buffer, passed, out var passedCount, out _, Libc.MSG_DONTWAIT);
        if (passedCount > 0)
        {
            _waiting.Enqueue((_receivedBytes, new SafeFileHandle(passed[0], ownsHandle: true)));
        }

        _receivedBytes += Math.Max(0, received);
        return received;
    }

    /// <inheritdoc/>
    public SafeHandle? TakeBefore(long position)
    {
        if (_waiting.Count == 0 || _waiting.Peek().Position >= position)
        {
            return null;
        }

        var wasFull = IsFull;
        SafeFileHandle? last = null;
        while (_waiting.TryPeek(out var next) && next.Position < position)
        {
            last?.Dispose();
            last = _waiting.Dequeue().Descriptor;
        }

        if (wasFull)
        {
            onRoom();
        }

        return last;
    }

    /// <summary>Closes what waits. Idempotent.</summary>
    public void Dispose()
    {
        while (_waiting.TryDequeue(out var next))
        {
            next.Descriptor.Dispose();
        }
    }
}
