using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Qmp.Aio;

namespace Qmp.Virtio.VhostUser;

/// <summary>
/// Messages on the connection's socket: reads one at a time with its descriptors, writes replies. Never blocks; owns
/// the socket and every descriptor of the current message until it is taken.
/// </summary>
/// <remarks>Loop.</remarks>
internal sealed class VhostUserChannel : IDisposable
{
    private readonly byte[] _buffer = new byte[VhostUserHeader.Bytes + VhostUserProtocol.MaxPayload];
    private readonly int[] _descriptors = new int[VhostUserProtocol.MaxDescriptors];
    private int _received;
    private int _descriptorCount;

    /// <summary>Takes ownership of a connected, non-blocking socket.</summary>
    public VhostUserChannel(int fd) => Fd = fd;

    /// <summary>What a read has led to.</summary>
    public enum ReadResult
    {
        /// <summary>A whole message is there.</summary>
        Message,

        /// <summary>Nothing more for now.</summary>
        Pending,

        /// <summary>The peer has gone between two messages.</summary>
        Closed,

        /// <summary>What came is no message, or ended in the middle of one: see <see cref="Error"/>.</summary>
        Malformed,
    }

    /// <summary>The socket; -1 after <see cref="Dispose"/>.</summary>
    public int Fd { get; private set; }

    /// <summary>What was wrong.</summary>
    public string Error { get; private set; } = string.Empty;

    /// <summary>The current message's head.</summary>
    public VhostUserHeader Header => MemoryMarshal.Read<VhostUserHeader>(_buffer);

    /// <summary>The current message's payload.</summary>
    public ReadOnlySpan<byte> Payload => _buffer.AsSpan(VhostUserHeader.Bytes, _received - VhostUserHeader.Bytes);

    /// <summary>Descriptors of the current message that nobody has taken.</summary>
    public int DescriptorCount => _descriptorCount;

    /// <summary>Takes over the descriptor at <paramref name="index"/>; the caller closes it.</summary>
    public int TakeDescriptor(int index)
    {
        int fd = _descriptors[index];
        _descriptors[index] = -1;
        return fd;
    }

    /// <summary>Reads what there is of the next message.</summary>
    public ReadResult Read()
    {
        while (true)
        {
            int wanted = VhostUserHeader.Bytes;
            if (_received >= VhostUserHeader.Bytes)
            {
                VhostUserHeader header = Header;
                if ((header.Flags & VhostUserHeader.VersionMask) != VhostUserHeader.Version)
                {
                    return Malformed($"message {(uint)header.Request} has the flags 0x{header.Flags:x}");
                }
                if ((header.Flags & VhostUserHeader.Reply) != 0)
                {
                    return Malformed($"message {(uint)header.Request} is a reply to nothing");
                }
                if (header.Size > VhostUserProtocol.MaxPayload)
                {
                    return Malformed($"message {(uint)header.Request} has a payload of {header.Size} bytes");
                }
                wanted += (int)header.Size;
                if (_received == wanted)
                {
                    return ReadResult.Message;
                }
            }

            // Exactly up to the end of the message: descriptors of the next one must not come with this one.
            long result = Libc.ReceiveWithDescriptors(
                Fd, _buffer.AsSpan(_received, wanted - _received), _descriptors.AsSpan(_descriptorCount), out int count, out bool truncated, Libc.MSG_DONTWAIT);
            if (result == -Errno.EINTR)
            {
                continue;
            }
            if (result == -Errno.EAGAIN)
            {
                return ReadResult.Pending;
            }
            if (result <= 0)
            {
                if (result is 0 or -Errno.ECONNRESET && _received == 0)
                {
                    return ReadResult.Closed;
                }
                return Malformed(result == 0 ? "the connection ended in the middle of a message" : $"could not read: {Errno.Describe((int)result)}");
            }
            _descriptorCount += count;
            if (truncated)
            {
                return Malformed("a message carries too many descriptors");
            }
            _received += (int)result;
        }
    }

    /// <summary>Done with the current message: closes descriptors that were not taken.</summary>
    public void Finish()
    {
        _received = 0;
        CloseDescriptors();
    }

    /// <summary>Answers the current message.</summary>
    /// <returns>0 or -errno; the peer does not read when it is -EAGAIN.</returns>
    public int Reply(ReadOnlySpan<byte> payload, int descriptor = -1)
    {
        Span<byte> message = stackalloc byte[VhostUserHeader.Bytes + VhostUserProtocol.ConfigHeaderBytes + VhostUserProtocol.MaxConfig];
        message = message[..(VhostUserHeader.Bytes + payload.Length)];
        var header = new VhostUserHeader
        {
            Request = Header.Request,
            Flags = VhostUserHeader.Version | VhostUserHeader.Reply,
            Size = (uint)payload.Length,
        };
        MemoryMarshal.Write(message, header);
        payload.CopyTo(message[VhostUserHeader.Bytes..]);
        return Send(Fd, message, descriptor);
    }

    /// <summary>Answers the current message with one number.</summary>
    public int Reply(ulong value)
    {
        Span<byte> payload = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, value);
        return Reply(payload);
    }

    /// <summary>Sends a message whole or not at all, as the small messages of this protocol allow.</summary>
    public static int Send(int fd, ReadOnlySpan<byte> message, int descriptor)
    {
        while (true)
        {
            long result = Libc.SendWithDescriptors(fd, message, descriptor < 0 ? [] : [descriptor], Libc.MSG_DONTWAIT);
            if (result == -Errno.EINTR)
            {
                continue;
            }
            return result < 0 ? (int)result : result == message.Length ? 0 : -Errno.EAGAIN;
        }
    }

    /// <summary>Closes the socket and what came with an unfinished message.</summary>
    public void Dispose()
    {
        CloseDescriptors();
        if (Fd >= 0)
        {
            _ = Libc.Close(Fd);
            Fd = -1;
        }
    }

    private ReadResult Malformed(string error)
    {
        Error = error;
        return ReadResult.Malformed;
    }

    private void CloseDescriptors()
    {
        for (int i = 0; i < _descriptorCount; i++)
        {
            if (_descriptors[i] >= 0)
            {
                _ = Libc.Close(_descriptors[i]);
            }
        }
        _descriptorCount = 0;
    }
}
