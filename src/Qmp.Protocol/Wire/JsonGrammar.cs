using Qmp.Protocol.Qapi;

namespace Qmp.Protocol.Wire;

/// <summary>
/// Checks the tokens of one value against JSON's grammar and builds the document from them. The first error stands:
/// what follows it is only counted. Reusable; not thread-safe.
/// </summary>
internal sealed class JsonGrammar
{
    private readonly JsonStringDecoder _strings = new();
    private readonly Frame[] _frames = new Frame[JsonLimits.Nesting + 1];
    private QapiDocument _document = QapiDocument.EmptyObject;
    private int _depth;
    private Expect _expect;
    private bool _building;

    private enum Expect : byte
    {
        Value,
        FirstElement,
        FirstKey,
        Key,
        Colon,
        Separator,
        Nothing,
    }

    /// <summary>The error, or null.</summary>
    public string? Error { get; private set; }

    /// <summary>Begins a value.</summary>
    /// <param name="document">An empty document to build it in.</param>
    public void Begin(QapiDocument document)
    {
        _document = document;
        _depth = 0;
        _expect = Expect.Value;
        _building = true;
        Error = null;
    }

    /// <summary>Takes the next token.</summary>
    /// <returns>False when this token made the error.</returns>
    public bool Accept(JsonToken token, ReadOnlySpan<byte> text)
    {
        if (Error != null)
        {
            return true;
        }

        Error = Check(token, text);
        return Error == null;
    }

    /// <summary>Lets go of memory that one large message needed.</summary>
    public void Trim() => _strings.Trim();

    private string? Check(JsonToken token, ReadOnlySpan<byte> text)
    {
        ref var frame = ref _frames[_depth];
        switch (_expect)
        {
            case Expect.FirstKey when token == JsonToken.RightBrace:
            case Expect.FirstElement when token == JsonToken.RightBracket:
                return Close();

            case Expect.FirstKey or Expect.Key:
                return Key(token, text, ref frame);

            case Expect.Colon:
                if (token != JsonToken.Colon)
                {
                    return "missing : in object pair";
                }

                _expect = Expect.Value;
                return null;

            case Expect.Separator:
                if (token == (frame.IsObject ? JsonToken.RightBrace : JsonToken.RightBracket))
                {
                    return Close();
                }

                if (token != JsonToken.Comma)
                {
                    return frame.IsObject ? "expected separator in dict" : "expected separator in list";
                }

                _expect = frame.IsObject ? Expect.Key : Expect.Value;
                return null;

            default:
                return Value(token, text);
        }
    }

    private string? Key(JsonToken token, ReadOnlySpan<byte> text, ref Frame frame)
    {
        if (token != JsonToken.String)
        {
            // Any value is read before it is refused; a list or object is not worth building.
            frame.IsValueAsKey = true;
            _building = false;
            return Value(token, text);
        }

        var error = _strings.Decode(text, out var name);
        if (error != null)
        {
            return error;
        }

        if (_building && !_document.Name(name))
        {
            // Told after the member's value, as QEMU does.
            frame.IsDuplicate = true;
            _building = false;
        }

        _expect = Expect.Colon;
        return null;
    }

    private string? Value(JsonToken token, ReadOnlySpan<byte> text)
    {
        switch (token)
        {
            case JsonToken.LeftBrace:
                Open(isObject: true);
                return null;

            case JsonToken.LeftBracket:
                Open(isObject: false);
                return null;

            case JsonToken.String:
                var error = _strings.Decode(text, out var value);
                if (error != null)
                {
                    return error;
                }

                if (_building)
                {
                    _document.String(value);
                }

                return Completed();

            case JsonToken.Number:
                if (_building)
                {
                    _document.Number(text);
                }

                return Completed();

            case JsonToken.Keyword:
                return Keyword(text);

            default:
                return "expecting value";
        }
    }

    private string? Keyword(ReadOnlySpan<byte> text)
    {
        var isNull = text.SequenceEqual("null"u8);
        var isTrue = text.SequenceEqual("true"u8);
        if (!isNull && !isTrue && !text.SequenceEqual("false"u8))
        {
            return $"invalid keyword '{ModifiedUtf8.ToText(text)}'";
        }

        if (_building && isNull)
        {
            _document.Null();
        }
        else if (_building)
        {
            _document.Bool(isTrue);
        }

        return Completed();
    }

    private void Open(bool isObject)
    {
        if (_building && isObject)
        {
            _document.BeginObject();
        }
        else if (_building)
        {
            _document.BeginList();
        }

        _frames[++_depth] = new Frame { IsObject = isObject };
        _expect = isObject ? Expect.FirstKey : Expect.FirstElement;
    }

    private string? Close()
    {
        if (_building)
        {
            _document.End();
        }

        _depth--;
        return Completed();
    }

    // A value has ended: what does that mean to whatever it stands in?
    private string? Completed()
    {
        ref var frame = ref _frames[_depth];
        if (_depth == 0)
        {
            _expect = Expect.Nothing;
            return null;
        }

        if (frame.IsValueAsKey)
        {
            return "key is not a string in object";
        }

        if (frame.IsDuplicate)
        {
            return "duplicate key";
        }

        _expect = Expect.Separator;
        return null;
    }

    private struct Frame
    {
        public bool IsObject;
        public bool IsValueAsKey;
        public bool IsDuplicate;
    }
}
