using System.Buffers;
using System.Text;

namespace Qmp.Protocol.Wire;

/// <summary>
/// UTF-8 as QMP clients may send it: U+0000 may also stand as the two bytes C0 80, and characters that Unicode sets
/// aside (the non-characters) are invalid like surrogates and overlong forms.
/// </summary>
public static class ModifiedUtf8
{
    /// <summary>Whether a code point may stand in a string.</summary>
    internal static bool IsCharacter(int codePoint) =>
        codePoint is >= 0 and <= 0x10ffff and not (>= 0xd800 and <= 0xdfff) and not (>= 0xfdd0 and <= 0xfdef)
        && (codePoint & 0xfffe) != 0xfffe;

    /// <summary>Decodes the character at the front. False: it is none; <paramref name="used"/> is what to skip.</summary>
    internal static bool TryDecode(ReadOnlySpan<byte> bytes, out Rune rune, out int used)
    {
        if (Rune.DecodeFromUtf8(bytes, out rune, out used) == OperationStatus.Done && IsCharacter(rune.Value))
        {
            return true;
        }

        if (bytes is [0xc0, 0x80, ..])
        {
            rune = default;
            used = 2;
            return true;
        }

        // The lead byte says how many follow; the sequence ends early where they stop.
        var length = bytes[0] switch { < 0xc0 => 1, < 0xe0 => 2, < 0xf0 => 3, < 0xf8 => 4, < 0xfc => 5, < 0xfe => 6, _ => 1 };
        used = 1;
        while (used < length && used < bytes.Length && (bytes[used] & 0xc0) == 0x80)
        {
            used++;
        }

        rune = Rune.ReplacementChar;
        return false;
    }

    /// <summary>Text as bytes, U+0000 as the two bytes C0 80.</summary>
    public static byte[] FromText(string text)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var bytes = new List<byte>(plain.Length);
        foreach (var b in plain)
        {
            if (b == 0)
            {
                bytes.Add(0xc0);
            }

            bytes.Add(b == 0 ? (byte)0x80 : b);
        }

        return [.. bytes];
    }

    /// <summary>Any bytes as text: what is no character becomes U+FFFD, a zero byte ends it.</summary>
    public static string ToText(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)0);
        if (end >= 0)
        {
            bytes = bytes[..end];
        }

        var text = new StringBuilder(bytes.Length);
        while (bytes.Length > 0)
        {
            TryDecode(bytes, out var rune, out var used);
            text.Append(rune);
            bytes = bytes[used..];
        }

        return text.ToString();
    }
}
