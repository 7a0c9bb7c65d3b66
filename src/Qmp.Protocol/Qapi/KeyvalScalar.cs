using System.Globalization;
using System.Text;

namespace Qmp.Protocol.Qapi;

/// <summary>Conversions of command-line text, as forgiving as QEMU's and no more. Null: not such a value.</summary>
internal static class KeyvalScalar
{
    public static bool? ToBoolean(ReadOnlySpan<byte> text) =>
        text.SequenceEqual("on"u8) || text.SequenceEqual("yes"u8) || text.SequenceEqual("true"u8) || text.SequenceEqual("y"u8) ? true
        : text.SequenceEqual("off"u8) || text.SequenceEqual("no"u8) || text.SequenceEqual("false"u8) || text.SequenceEqual("n"u8) ? false
        : null;

    public static long? ToInt64(ReadOnlySpan<byte> text)
    {
        if (!Magnitude(text, out var negative, out var magnitude))
        {
            return null;
        }

        return negative
            ? magnitude <= 1UL << 63 ? unchecked(-(long)magnitude) : null
            : magnitude <= long.MaxValue ? (long)magnitude : null;
    }

    // A minus sign means modulo 2^64.
    public static ulong? ToUInt64(ReadOnlySpan<byte> text) =>
        Magnitude(text, out var negative, out var magnitude) ? negative ? unchecked(0 - magnitude) : magnitude : null;

    public static double? ToNumber(ReadOnlySpan<byte> text)
    {
        var trimmed = text.TrimStart(" \t\n\v\f\r"u8);
        return double.TryParse(trimmed, NumberStyles.Float & ~NumberStyles.AllowTrailingWhite & ~NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out var value)
            && double.IsFinite(value) ? value : null;
    }

    // Digits with an optional fraction and a suffix of powers of 1024, or a hexadecimal number without either.
    public static ulong? ToSize(ReadOnlySpan<byte> text)
    {
        text = text.TrimStart(" \t\n\v\f\r"u8);
        if (text.StartsWith("0x"u8) || text.StartsWith("0X"u8))
        {
            return Magnitude(text, out _, out var hex) ? hex : null;
        }

        var digits = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        var whole = digits < 0 ? text : text[..digits];
        var rest = text[whole.Length..];
        var fraction = ReadOnlySpan<byte>.Empty;
        if (rest.Length > 0 && rest[0] == '.')
        {
            var end = rest[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            fraction = end < 0 ? rest[1..] : rest.Slice(1, end);
            rest = rest[(1 + fraction.Length)..];
        }

        var shift = rest switch
        {
            [] => 0,
            [(byte)'b' or (byte)'B'] => 0,
            [(byte)'k' or (byte)'K'] => 10,
            [(byte)'m' or (byte)'M'] => 20,
            [(byte)'g' or (byte)'G'] => 30,
            [(byte)'t' or (byte)'T'] => 40,
            [(byte)'p' or (byte)'P'] => 50,
            [(byte)'e' or (byte)'E'] => 60,
            _ => -1,
        };
        var value = 0UL;
        if (shift < 0
            || whole.Length + fraction.Length == 0
            || (whole.Length > 0 && !ulong.TryParse(whole, NumberStyles.None, CultureInfo.InvariantCulture, out value))
            || value > ulong.MaxValue >> shift)
        {
            return null;
        }

        var bytes = value << shift;
        if (fraction.Length == 0)
        {
            return bytes;
        }

        if (shift == 0 && fraction.IndexOfAnyExcept((byte)'0') >= 0)
        {
            return null; // a part of a byte
        }

        var part = double.Parse("0." + Encoding.ASCII.GetString(fraction), CultureInfo.InvariantCulture) * (1UL << shift);
        return part < ulong.MaxValue - bytes ? bytes + (ulong)part : null;
    }

    // C's strtol with base 0: white space, a sign, then hexadecimal, octal or decimal digits.
    private static bool Magnitude(ReadOnlySpan<byte> text, out bool negative, out ulong magnitude)
    {
        text = text.TrimStart(" \t\n\v\f\r"u8);
        negative = text.Length > 0 && text[0] == '-';
        magnitude = 0;
        if (text.Length > 0 && text[0] is (byte)'-' or (byte)'+')
        {
            text = text[1..];
        }

        var radix = 10u;
        if (text.StartsWith("0x"u8) || text.StartsWith("0X"u8))
        {
            radix = 16;
            text = text[2..];
        }
        else if (text.Length > 1 && text[0] == '0')
        {
            radix = 8;
        }

        foreach (var c in text)
        {
            var digit = c is >= (byte)'0' and <= (byte)'9' ? (uint)c - '0' : char.IsAsciiHexDigit((char)c) ? (c | 0x20u) - 'a' + 10 : 16;
            if (digit >= radix || magnitude > (ulong.MaxValue - digit) / radix)
            {
                return false;
            }

            magnitude = (magnitude * radix) + digit;
        }

        return text.Length > 0;
    }
}
