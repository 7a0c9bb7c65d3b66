using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Qmp.Protocol.Wire;

/// <summary>Turns the text of a string token into UTF-8. Reusable; not thread-safe.</summary>
internal sealed class JsonStringDecoder
{
    // Printable ASCII without the backslash: passes as it is.
    private static readonly SearchValues<byte> NotPlain =
        SearchValues.Create([.. Enumerable.Range(0, 256).Where(b => b is >= 0x80 or '\\').Select(b => (byte)b)]);

    private byte[] _scratch = [];

    /// <summary>Decodes.</summary>
    /// <param name="token">The token with its quotes.</param>
    /// <param name="value">The string; valid until the next call and as long as <paramref name="token"/>.</param>
    /// <returns>Null, or the error.</returns>
    public string? Decode(ReadOnlySpan<byte> token, out ReadOnlySpan<byte> value)
    {
        var content = token[1..^1];
        var plain = content.IndexOfAny(NotPlain);
        if (plain < 0)
        {
            value = content;
            return null;
        }

        if (_scratch.Length < content.Length)
        {
            _scratch = new byte[Math.Max(256, content.Length)];
        }

        return DecodeSlowly(token, content, out value);
    }

    /// <summary>Lets go of memory that one large string needed.</summary>
    public void Trim()
    {
        if (_scratch.Length > 1 << 16)
        {
            _scratch = [];
        }
    }

    // The result is never longer than the source: every escape is longer than what it stands for.
    private string? DecodeSlowly(ReadOnlySpan<byte> token, ReadOnlySpan<byte> content, out ReadOnlySpan<byte> value)
    {
        value = default;
        var output = _scratch.AsSpan();
        var written = 0;
        for (var at = 0; at < content.Length;)
        {
            var plain = content[at..].IndexOfAny(NotPlain);
            var run = plain < 0 ? content[at..] : content.Slice(at, plain);
            run.CopyTo(output[written..]);
            written += run.Length;
            at += run.Length;
            if (plain < 0)
            {
                break;
            }

            if (content[at] != '\\')
            {
                if (!ModifiedUtf8.TryDecode(content[at..], out var rune, out var used))
                {
                    return "invalid UTF-8 sequence in string";
                }

                written += rune.EncodeToUtf8(output[written..]);
                at += used;
            }
            else if (content[at + 1] == 'u')
            {
                // The token goes on with its quote, which an escape that is too short runs into.
                var error = DecodeUnicode(token[(at + 1)..], out var rune, out var used);
                if (error != null)
                {
                    return error;
                }

                written += rune.EncodeToUtf8(output[written..]);
                at += used;
            }
            else
            {
                var c = content[at + 1] switch
                {
                    (byte)'"' => (byte)'"',
                    (byte)'\'' => (byte)'\'',
                    (byte)'\\' => (byte)'\\',
                    (byte)'/' => (byte)'/',
                    (byte)'b' => (byte)'\b',
                    (byte)'f' => (byte)'\f',
                    (byte)'n' => (byte)'\n',
                    (byte)'r' => (byte)'\r',
                    (byte)'t' => (byte)'\t',
                    _ => (byte)0,
                };
                if (c == 0)
                {
                    return "invalid escape sequence in string";
                }

                output[written++] = c;
                at += 2;
            }
        }

        value = output[..written];
        return null;
    }

    // text begins with \u; one escape, or two that are a surrogate pair.
    private static string? DecodeUnicode(ReadOnlySpan<byte> text, out Rune rune, out int used)
    {
        used = 6;
        var codePoint = Hex4(text[2..]);
        if (codePoint is >= 0xd800 and <= 0xdbff && text.Length >= 12 && text[6] == '\\' && text[7] == 'u')
        {
            var low = Hex4(text[8..]);
            if (low is >= 0xdc00 and <= 0xdfff)
            {
                codePoint = 0x10000 + ((codePoint - 0xd800) << 10) + (low - 0xdc00);
                used = 12;
            }
        }

        if (ModifiedUtf8.IsCharacter(codePoint))
        {
            rune = new Rune(codePoint);
            return null;
        }

        rune = default;
        return ModifiedUtf8.ToText(text[..Math.Min(used, text.Length)]) + " is not a valid Unicode character";
    }

    private static int Hex4(ReadOnlySpan<byte> digits) =>
        digits.Length >= 4 && Utf8Parser.TryParse(digits[..4], out ushort value, out var used, 'x') && used == 4 ? value : -1;
}
