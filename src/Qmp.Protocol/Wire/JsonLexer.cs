using System.Buffers;

namespace Qmp.Protocol.Wire;

/// <summary>
/// Cuts a stream of bytes into JSON tokens, as lenient and as strict as QEMU's: strings in double or single quotes,
/// keywords of lower-case letters, numbers by the letter of the standard. It keeps its place between two calls, so a
/// message costs linear time however it is split. After bytes that begin no token it skips to a place where a client
/// that wants to start afresh would: brackets, comma, colon, a control character, FE or FF. Not thread-safe.
/// </summary>
internal sealed class JsonLexer
{
    private static readonly SearchValues<byte> EndsStringRun = SearchValues.Create(
        [.. Enumerable.Range(0, 256).Where(b => b is < 0x20 or '"' or '\'' or '\\' or >= 0xfe).Select(b => (byte)b)]);

    private State _state;
    private byte _quote;
    private byte[] _partial = [];
    private int _partialLength;
    private bool _tooLong;
    private int _line = 1;
    private long _offset;
    private long _lineStart;
    private long _tokenStart;

    private enum State : byte
    {
        Between,
        Recovering,
        InString,
        InEscape,
        Minus,
        Zero,
        Digits,
        Point,
        Fraction,
        Exponent,
        ExponentSign,
        ExponentDigits,
        Keyword,
    }

    /// <summary>Line of the last token, counted from 1.</summary>
    public int TokenLine { get; private set; } = 1;

    /// <summary>Column of the last token, counted from 1 in bytes.</summary>
    public long TokenColumn { get; private set; } = 1;

    /// <summary>Takes the next token.</summary>
    /// <param name="input">New bytes, following those that earlier calls used.</param>
    /// <param name="used">How many of them were used; all, when there is no token.</param>
    /// <param name="token">The token.</param>
    /// <param name="text">Its text, valid until the next call and as long as <paramref name="input"/>.</param>
    /// <returns>Whether a token is complete.</returns>
    public bool TryNext(ReadOnlySpan<byte> input, out int used, out JsonToken token, out ReadOnlySpan<byte> text)
    {
        if (_partialLength > 0 && _state <= State.Recovering)
        {
            _partialLength = 0; // the text that the caller saw last
        }

        var start = 0; // where the token's bytes in this input begin
        for (var i = 0; i < input.Length;)
        {
            var c = input[i];
            switch (_state)
            {
                case State.Between:
                    start = i;
                    i++;
                    var structural = Structural(c);
                    if (structural != JsonToken.Stray)
                    {
                        return Finish(structural, input, start, i, i, out used, out token, out text);
                    }

                    switch (c)
                    {
                        case (byte)' ' or (byte)'\t' or (byte)'\r':
                            _tokenStart = _offset + i;
                            break;
                        case (byte)'\n':
                            NewLine(i);
                            _tokenStart = _offset + i;
                            break;
                        case (byte)'"' or (byte)'\'':
                            _quote = c;
                            _state = State.InString;
                            break;
                        case (byte)'-':
                            _state = State.Minus;
                            break;
                        case (byte)'0':
                            _state = State.Zero;
                            break;
                        case >= (byte)'1' and <= (byte)'9':
                            _state = State.Digits;
                            break;
                        case >= (byte)'a' and <= (byte)'z':
                            _state = State.Keyword;
                            break;
                        default:
                            return Stray(input, start, i, out used, out token, out text);
                    }

                    break;

                case State.Recovering:
                    if (c is (< 0x20 and not (byte)'\t') or >= 0xfe || Structural(c) != JsonToken.Stray)
                    {
                        // The place of what follows is counted from behind this byte, as QEMU does.
                        _state = State.Between;
                        _tokenStart = _offset + i + 1;
                    }
                    else
                    {
                        i++;
                    }

                    break;

                case State.InString:
                    var run = input[i..].IndexOfAny(EndsStringRun);
                    if (run < 0)
                    {
                        i = input.Length;
                        break;
                    }

                    i += run;
                    c = input[i++];
                    if (c == _quote)
                    {
                        return Finish(JsonToken.String, input, start, i, i, out used, out token, out text);
                    }

                    if (c == '\\')
                    {
                        _state = State.InEscape;
                    }
                    else if (c is not ((byte)'"' or (byte)'\''))
                    {
                        return Stray(input, start, i, out used, out token, out text);
                    }

                    break;

                case State.InEscape:
                    i++;
                    if (c is < 0x20 or >= 0xfe)
                    {
                        return Stray(input, start, i, out used, out token, out text);
                    }

                    _state = State.InString;
                    break;

                case State.Keyword:
                    if (c is < (byte)'a' or > (byte)'z')
                    {
                        return Finish(JsonToken.Keyword, input, start, i, i + 1, out used, out token, out text);
                    }

                    i++;
                    break;

                default:
                    var next = NextInNumber(_state, c);
                    if (next == State.Between)
                    {
                        return Finish(JsonToken.Number, input, start, i, i + 1, out used, out token, out text);
                    }

                    i++;
                    if (next == State.Recovering)
                    {
                        return Stray(input, start, i, out used, out token, out text);
                    }

                    _state = next;
                    break;
            }
        }

        if (_state > State.Recovering)
        {
            Keep(input[start..]);
        }

        _offset += input.Length;
        used = input.Length;
        token = default;
        text = default;
        return false;
    }

    // Between: the number ended before c. Recovering: c cannot stand here.
    private static State NextInNumber(State state, byte c) => state switch
    {
        State.Minus => c == '0' ? State.Zero : IsDigit(c) ? State.Digits : State.Recovering,
        State.Zero => c == '.' ? State.Point : IsDigit(c) ? State.Recovering : State.Between, // no exponent behind a bare 0
        State.Digits => c == '.' ? State.Point : c is (byte)'e' or (byte)'E' ? State.Exponent
            : IsDigit(c) ? State.Digits : State.Between,
        State.Point => IsDigit(c) ? State.Fraction : State.Recovering,
        State.Fraction => IsDigit(c) ? State.Fraction : c is (byte)'e' or (byte)'E' ? State.Exponent : State.Between,
        State.Exponent when c is (byte)'+' or (byte)'-' => State.ExponentSign,
        State.Exponent or State.ExponentSign => IsDigit(c) ? State.ExponentDigits : State.Recovering,
        _ => IsDigit(c) ? State.ExponentDigits : State.Between,
    };

    private static bool IsDigit(byte c) => c is >= (byte)'0' and <= (byte)'9';

    private static JsonToken Structural(byte c) => c switch
    {
        (byte)'{' => JsonToken.LeftBrace,
        (byte)'}' => JsonToken.RightBrace,
        (byte)'[' => JsonToken.LeftBracket,
        (byte)']' => JsonToken.RightBracket,
        (byte)':' => JsonToken.Colon,
        (byte)',' => JsonToken.Comma,
        _ => JsonToken.Stray,
    };

    // behind: the index from which the place of the next token counts.
    private bool Finish(
        JsonToken kind, ReadOnlySpan<byte> input, int start, int end, int behind, out int used, out JsonToken token, out ReadOnlySpan<byte> text)
    {
        TokenLine = _line;
        TokenColumn = _tokenStart - _lineStart + 1;
        if (_partialLength > 0 || _tooLong)
        {
            Keep(input[start..end]);
            text = _partial.AsSpan(0, _partialLength);
        }
        else
        {
            text = input[start..end];
        }

        token = _tooLong ? JsonToken.TooLong : kind;
        _tooLong = false;
        _state = State.Between;
        _tokenStart = _offset + behind;
        _offset += end;
        used = end;
        return true;
    }

    private bool Stray(ReadOnlySpan<byte> input, int start, int end, out int used, out JsonToken token, out ReadOnlySpan<byte> text)
    {
        var newLine = input[end - 1] == '\n';
        Finish(JsonToken.Stray, input, start, end, end, out used, out token, out text);
        if (newLine)
        {
            NewLine(0);
        }

        _state = State.Recovering;
        return true;
    }

    private void NewLine(int behind)
    {
        _line++;
        _lineStart = _offset + behind;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_tooLong || bytes.Length > JsonLimits.TokenBytes - _partialLength)
        {
            _tooLong = true;
            _partial = [];
            _partialLength = 0;
            return;
        }

        if (bytes.Length > _partial.Length - _partialLength)
        {
            Array.Resize(ref _partial, Math.Max(_partialLength + bytes.Length, Math.Min(Math.Max(256, _partial.Length * 2), JsonLimits.TokenBytes)));
        }

        bytes.CopyTo(_partial.AsSpan(_partialLength));
        _partialLength += bytes.Length;
    }

    /// <summary>Lets go of memory that one large token needed.</summary>
    public void Trim()
    {
        if (_partial.Length > 1 << 16 && _state <= State.Recovering)
        {
            _partial = [];
            _partialLength = 0;
        }
    }
}
