using System.Text;

namespace Qmp.Schema.Parsing;

internal enum TokenKind
{
    End,
    Punctuation,
    String,
    True,
    False,
    Doc,
}

/// <summary>
/// Cuts a schema file into tokens: brackets, colons and commas, single-quoted strings of printable ASCII, <c>true</c>
/// and <c>false</c>, and documentation blocks (from a line <c>##</c> to the next). Other comments vanish.
/// </summary>
internal sealed class SchemaLexer
{
    private readonly string _text;
    private readonly string _file;
    private int _position;
    private int _line = 1;

    public SchemaLexer(string file, string text)
    {
        _file = file;
        _text = text;
        if (text.Length > SchemaLimits.FileLength)
        {
            throw new SchemaException(new SourceLocation(file, 1), $"the file is longer than {SchemaLimits.FileLength} characters");
        }

        Next();
    }

    public TokenKind Kind { get; private set; }

    /// <summary>The bracket, the string's text, or the lines of the documentation block without <c># </c>.</summary>
    public string Text { get; private set; } = "";

    public SourceLocation Location { get; private set; } = SourceLocation.BuiltIn;

    /// <summary>What stands here, for an error.</summary>
    public string Description => Kind switch
    {
        TokenKind.End => "the end of the file",
        TokenKind.Doc => "a documentation block",
        TokenKind.Punctuation => $"'{Text}'",
        TokenKind.String => $"the string '{Text}'",
        _ => Text,
    };

    public bool Is(char punctuation) => Kind == TokenKind.Punctuation && Text[0] == punctuation;

    public void Next()
    {
        while (_position < _text.Length)
        {
            var c = _text[_position];
            if (c == '\n')
            {
                _line++;
                _position++;
            }
            else if (c is ' ' or '\t' or '\r')
            {
                _position++;
            }
            else if (c == '#')
            {
                var start = _line;
                var line = TakeLine();
                if (line == "##")
                {
                    Take(TokenKind.Doc, start, TakeDocumentation(start));
                    return;
                }

                if (line.StartsWith("##", StringComparison.Ordinal) && line.Trim('#').Length > 0 && line[2] != '#')
                {
                    throw Error(start, "text after '##': a documentation block starts with a line that is just '##'");
                }
            }
            else
            {
                TakeToken(c);
                return;
            }
        }

        Take(TokenKind.End, _line, "");
    }

    private SchemaException Error(int line, string problem) => new(new SourceLocation(_file, line), problem);

    private void Take(TokenKind kind, int line, string text)
    {
        Kind = kind;
        Text = text;
        Location = new SourceLocation(_file, line);
    }

    private void TakeToken(char c)
    {
        if (c is '{' or '}' or '[' or ']' or ':' or ',')
        {
            _position++;
            Take(TokenKind.Punctuation, _line, c.ToString());
        }
        else if (c == '\'')
        {
            TakeString();
        }
        else if (TryTakeWord("true"))
        {
            Take(TokenKind.True, _line, "true");
        }
        else if (TryTakeWord("false"))
        {
            Take(TokenKind.False, _line, "false");
        }
        else
        {
            throw Error(_line, $"stray {Show(c)}");
        }
    }

    private void TakeString()
    {
        var start = ++_position;
        for (; _position < _text.Length && _text[_position] != '\''; _position++)
        {
            var c = _text[_position];
            if (c == '\n')
            {
                throw Error(_line, "a string ends with its line: the closing ' is missing");
            }

            if (c is < ' ' or > '~' or '\\')
            {
                throw Error(_line, $"{Show(c)} in a string: only printable ASCII without '\\' may stand there");
            }
        }

        if (_position == _text.Length)
        {
            throw Error(_line, "the closing ' of a string is missing");
        }

        Take(TokenKind.String, _line, _text.Substring(start, _position - start));
        _position++;
    }

    private bool TryTakeWord(string word)
    {
        var end = _position + word.Length;
        if (string.CompareOrdinal(_text, _position, word, 0, word.Length) != 0
            || (end < _text.Length && (char.IsLetterOrDigit(_text[end]) || _text[end] == '_')))
        {
            return false;
        }

        _position = end;
        return true;
    }

    // The rest of the line without trailing white space; the position is behind its end.
    private string TakeLine()
    {
        var end = _text.IndexOf('\n', _position);
        var line = end < 0 ? _text.Substring(_position) : _text.Substring(_position, end - _position);
        _position = end < 0 ? _text.Length : end + 1;
        _line += end < 0 ? 0 : 1;
        return line.TrimEnd();
    }

    private string TakeDocumentation(int start)
    {
        var text = new StringBuilder();
        while (_position < _text.Length)
        {
            var number = _line;
            var line = TakeLine().TrimStart();
            if (line == "##")
            {
                return text.ToString();
            }

            if (line.StartsWith("##", StringComparison.Ordinal))
            {
                throw Error(number, "text after '##': a documentation block ends with a line that is just '##'");
            }

            if (line.Length == 0 || line[0] != '#')
            {
                throw Error(number, "a line of a documentation block starts with '#', and the block ends with a line '##'");
            }

            if (line.Length > 1 && line[1] != ' ')
            {
                throw Error(number, "a space is missing after '#'");
            }

            text.Append(line.Length > 2 ? line.Substring(2) : "").Append('\n');
        }

        throw Error(start, "the documentation block does not end: a line '##' is missing");
    }

    private static string Show(char c) => c is >= ' ' and <= '~' ? $"'{c}'" : $"character U+{(int)c:X4}";
}
