using System.Buffers.Binary;
using System.Text;
using Qmp.Aio;
using Qmp.Virtio.VhostUser;

namespace Fuzz;

/// <summary>Messages of a vhost-user front end, as far as they are cut out of the stream.</summary>
internal sealed class VhostUserTarget : FuzzTarget
{
    public override string Name => "vhost-user";

    public override string Description => "the framing of vhost-user messages";

    public override IReadOnlyList<byte[]> Seeds { get; } =
        [.. Enum.GetValues<VhostUserRequest>().Select(request => Message((uint)request, VhostUserHeader.Version, new byte[8 * ((int)request % 5)]))];

    public override IReadOnlyList<byte[]> Tokens { get; } =
        [[1, 0, 0, 0], [0, 0, 0, 0], [9, 0, 0, 0], [5, 0, 0, 0], [0, 16, 0, 0], [1, 16, 0, 0], [0xff, 0xff, 0xff, 0xff], [8, 0, 0, 0, 0, 0, 0, 0], new byte[4096]];

    public override byte[] Generate(Random random) => [.. Enumerable.Range(0, random.Next(6)).SelectMany(_ =>
        Message((uint)random.Next(45), random.Next(10) == 0 ? (uint)random.Next() : VhostUserHeader.Version | (uint)(random.Next(2) * 8), new byte[random.Next(300)]))];

    public override void Check(byte[] input, Random random)
    {
        var whole = Read(input, null);
        Same("bytes in pieces give something else", whole, Read(input, () => random.Next(1, 300)));
        Same("bytes in small pieces give something else", whole, Read(input, () => random.Next(1, 4)));
    }

    private static byte[] Message(uint request, uint flags, byte[] payload)
    {
        var message = new byte[VhostUserHeader.Bytes + payload.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(message, request);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(4), flags);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(8), payload.Length);
        payload.CopyTo(message.AsSpan(12));
        return message;
    }

    private static string Read(byte[] input, Func<int>? pieceSize)
    {
        Holds(Libc.SocketPair(Libc.AF_UNIX, Libc.SOCK_STREAM, out var ours, out var theirs) == 0, "no socket");
        using var channel = new VhostUserChannel(ours);
        var result = new StringBuilder();
        foreach (var piece in JsonStream.Pieces(input, pieceSize))
        {
            Holds(VhostUserChannel.Send(theirs, piece, -1) == 0, "the socket is full");
            if (!Take(channel, result))
            {
                break;
            }
        }

        _ = Libc.Close(theirs);
        Take(channel, result);
        return result.ToString();
    }

    // False when no more is to be read.
    private static bool Take(VhostUserChannel channel, StringBuilder result)
    {
        while (true)
        {
            switch (channel.Read())
            {
                case VhostUserChannel.ReadResult.Message:
                    Holds(channel.Payload.Length == channel.Header.Size && channel.Payload.Length <= VhostUserProtocol.MaxPayload, "a payload of another size");
                    result.Append(channel.Header.Request).Append(channel.Header.Flags).Append(' ').Append(Convert.ToHexString(channel.Payload)).Append('\n');
                    channel.Finish();
                    break;
                case VhostUserChannel.ReadResult.Pending:
                    return true;
                case VhostUserChannel.ReadResult.Closed:
                    result.Append("closed");
                    return false;
                default:
                    Holds(channel.Error.Length > 0, "an error without a text");
                    if (!result.ToString().EndsWith(channel.Error, StringComparison.Ordinal))
                    {
                        result.Append(channel.Error);
                    }

                    return false;
            }
        }
    }
}
