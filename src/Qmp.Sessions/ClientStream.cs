using System.Text;
using System.Text.Json;

namespace Qmp.Sessions;

/// <summary>
/// Cuts what a client says into what one line of a session holds: a JSON value becomes a line to send, anything else
/// bytes as they are. Not thread-safe.
/// </summary>
internal sealed class ClientStream
{
    private byte[] _bytes = new byte[4096];
    private int _length;
    private int _scanned;
    private int _depth;
    private byte _quote;
    private bool _escaped;

    /// <summary>Adds bytes.</summary>
    /// <exception cref="InvalidDataException">A value is longer than allowed.</exception>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > SessionLimits.LineBytes)
        {
            throw new InvalidDataException($"a value of more than {SessionLimits.LineBytes} bytes");
        }

        if (_length + bytes.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + bytes.Length));
        }

        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>Takes the next value that is complete; white space alone is none.</summary>
    public bool TryTake(out SessionItemKind kind, out string text)
    {
        while (FindEnd())
        {
            if (Take(_scanned, out kind, out text))
            {
                return true;
            }
        }

        (kind, text) = (default, "");
        return false;
    }

    /// <summary>Takes a number of bytes, whatever they are.</summary>
    public bool TryTakeBytes(int count, out string bytes)
    {
        if (_length < count)
        {
            bytes = "";
            return false;
        }

        bytes = Encoding.Latin1.GetString(_bytes, 0, count);
        Drop(count);
        return true;
    }

    /// <summary>Takes what is there as it is: the other side has answered it, or nothing more comes.</summary>
    public bool TryTakeRest(out SessionItemKind kind, out string text) => Take(_length, out kind, out text);

    // True when the value ends at _scanned.
    private bool FindEnd()
    {
        while (_scanned < _length)
        {
            var c = _bytes[_scanned++];
            if (_quote != 0)
            {
                (_quote, _escaped) = _escaped || c != _quote ? (_quote, !_escaped && c == '\\') : ((byte)0, false);
            }
            else if (c is (byte)'"' or (byte)'\'')
            {
                _quote = c;
            }
            else if (c is (byte)'{' or (byte)'[')
            {
                _depth++;
            }
            else if (c is (byte)'}' or (byte)']' && --_depth <= 0)
            {
                // The rest of the line belongs to it if it is white space.
                while (_scanned < _length && _bytes[_scanned] is (byte)' ' or (byte)'\r' or (byte)'\n' or (byte)'\t')
                {
                    _scanned++;
                }

                return true;
            }
        }

        return false;
    }

    private bool Take(int count, out SessionItemKind kind, out string text)
    {
        var value = _bytes.AsSpan(0, count);
        var trimmed = value.Trim(" \r\n\t"u8);
        var isPlain = IsPlain(trimmed);
        kind = isPlain ? SessionItemKind.Send : SessionItemKind.SendRaw;
        text = isPlain ? Encoding.UTF8.GetString(trimmed) : Encoding.Latin1.GetString(value);
        var found = trimmed.Length > 0;
        Drop(count);
        return found;
    }

    private void Drop(int count)
    {
        _bytes.AsSpan(count, _length - count).CopyTo(_bytes);
        _length -= count;
        _scanned = 0;
        _depth = 0;
        _quote = 0;
        _escaped = false;
    }

    private static bool IsPlain(ReadOnlySpan<byte> text)
    {
        if (text.IndexOfAnyInRange((byte)0, (byte)0x1f) >= 0)
        {
            return false;
        }

        try
        {
            var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = SessionLimits.Depth });
            while (reader.Read())
            {
                _ = reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName ? reader.GetString() : null;
            }

            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
