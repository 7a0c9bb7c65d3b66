using System.Globalization;
using Qmp.Protocol.Qapi;

namespace Qmp.Protocol.Wire;

/// <summary>
/// Finds the JSON values in a stream of bytes: each comes out as a document or as the error that the client shall
/// read. Values may follow each other with or without white space. A value ends where its braces and brackets are
/// balanced, whatever is wrong inside, so that one bad message costs one reply. Not thread-safe.
/// </summary>
/// <param name="hasPositions">Whether errors begin with line and column, as QEMU 11's do.</param>
public sealed class JsonMessageReader(bool hasPositions = true)
{
    private readonly JsonLexer _lexer = new();
    private readonly JsonGrammar _grammar = new();
    private QapiDocument? _document;
    private int _errorLine;
    private long _errorColumn;
    private int _braces;
    private int _brackets;
    private int _tokens;
    private long _tokenBytes;

    /// <summary>Whether a value has begun and not ended.</summary>
    public bool IsInsideValue => _tokens > 0;

    /// <summary>Takes the next value.</summary>
    /// <param name="input">New bytes, following those that earlier calls used.</param>
    /// <param name="used">How many of them were used; all, when no value is complete.</param>
    /// <param name="documents">Where empty documents come from.</param>
    /// <param name="document">The value, unless <paramref name="error"/> is set. The caller owns it.</param>
    /// <param name="error">Null, or the text of the error.</param>
    /// <returns>Whether there is a value or an error.</returns>
    public bool TryRead(ReadOnlySpan<byte> input, out int used, QapiDocumentPool documents, out QapiDocument? document, out string? error)
    {
        used = 0;
        while (_lexer.TryNext(input[used..], out var step, out var token, out var text))
        {
            used += step;
            if (Accept(token, text, documents, out error))
            {
                document = null;
                if (error == null)
                {
                    document = _document;
                    _document = null;
                }

                if (_tokenBytes > 1 << 16)
                {
                    _lexer.Trim();
                    _grammar.Trim();
                }

                _braces = 0;
                _brackets = 0;
                _tokens = 0;
                _tokenBytes = 0;
                return true;
            }
        }

        used = input.Length;
        document = null;
        error = null;
        return false;
    }

    // True when the token ended the value, well or not.
    private bool Accept(JsonToken token, ReadOnlySpan<byte> text, QapiDocumentPool documents, out string? error)
    {
        switch (token)
        {
            case JsonToken.LeftBrace:
                _braces++;
                break;
            case JsonToken.RightBrace:
                _braces--;
                break;
            case JsonToken.LeftBracket:
                _brackets++;
                break;
            case JsonToken.RightBracket:
                _brackets--;
                break;
            case JsonToken.Stray:
                error = ParseError($"stray '{ModifiedUtf8.ToText(text)}'", _lexer.TokenLine, _lexer.TokenColumn);
                return true;
            case JsonToken.TooLong:
                error = "JSON token size limit exceeded";
                return true;
        }

        error = _tokenBytes + text.Length + 1 > JsonLimits.TokenBytes ? "JSON token size limit exceeded"
            : _tokens + 1 > JsonLimits.Tokens ? "JSON token count limit exceeded"
            : _braces + _brackets > JsonLimits.Nesting ? "JSON nesting depth limit exceeded"
            : null;
        if (error != null)
        {
            return true;
        }

        if (_tokens++ == 0)
        {
            _document ??= documents.Rent();
            _document.Reset();
            _grammar.Begin(_document);
        }

        _tokenBytes += text.Length;
        if (!_grammar.Accept(token, text))
        {
            _errorLine = _lexer.TokenLine;
            _errorColumn = _lexer.TokenColumn;
        }

        if ((_braces > 0 || _brackets > 0) && _braces >= 0 && _brackets >= 0)
        {
            return false;
        }

        if (_grammar.Error != null)
        {
            error = ParseError(_grammar.Error, _errorLine, _errorColumn);
        }

        return true;
    }

    private string ParseError(string text, int line, long column) => hasPositions
        ? string.Create(CultureInfo.InvariantCulture, $"{line}:{column}: JSON parse error, {text}")
        : "JSON parse error, " + text;
}
