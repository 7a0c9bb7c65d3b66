using System.Buffers;
using Qmp.Protocol;

namespace Qmp.Server;

/// <summary>Bytes that clients write in base64. <b>Any</b>.</summary>
internal static class Base64Text
{
    private static readonly SearchValues<byte> Characters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\n"u8);

    /// <summary>
    /// Decodes it. As lenient as QEMU: each four characters are three bytes, less one for each of the last two that is
    /// "=", wherever that stands; what does not fill four is dropped.
    /// </summary>
    /// <exception cref="QmpException">Another character is among them.</exception>
    public static byte[] Decode(ReadOnlySpan<byte> text)
    {
        if (text.IndexOfAnyExcept(Characters) >= 0)
        {
            throw new QmpException("Base64 data contains invalid characters");
        }

        var bytes = new List<byte>(text.Length / 4 * 3);
        var (bits, digits, last, lastButOne) = (0, 0, (byte)0, (byte)0);
        foreach (var character in text)
        {
            if (character == '\n')
            {
                continue;
            }

            (lastButOne, last) = (last, character);
            bits = (bits << 6) | Digit(character);
            if (++digits % 4 == 0)
            {
                bytes.Add((byte)(bits >> 16));
                if (lastButOne != '=')
                {
                    bytes.Add((byte)(bits >> 8));
                }

                if (last != '=')
                {
                    bytes.Add((byte)bits);
                }
            }
        }

        return [.. bytes];
    }

    private static int Digit(byte character) => character switch
    {
        >= (byte)'A' and <= (byte)'Z' => character - 'A',
        >= (byte)'a' and <= (byte)'z' => character - 'a' + 26,
        >= (byte)'0' and <= (byte)'9' => character - '0' + 52,
        (byte)'+' => 62,
        (byte)'/' => 63,
        _ => 0, // "="
    };
}
