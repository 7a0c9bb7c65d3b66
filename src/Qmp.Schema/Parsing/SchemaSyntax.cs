namespace Qmp.Schema.Parsing;

/// <summary>One top-level object of a schema file, with the documentation that stands before it.</summary>
internal sealed record SchemaExpression(SchemaObject Value, Documentation? Documentation);

/// <summary>Turns the text of one file into its top-level objects. Nothing is known about their meaning yet.</summary>
internal sealed class SchemaSyntax
{
    private readonly SchemaLexer _lexer;
    private readonly string _file;

    private SchemaSyntax(string file, string text)
    {
        _file = file;
        _lexer = new SchemaLexer(file, text);
    }

    /// <summary>Parses a file.</summary>
    /// <param name="file">Its path, for errors.</param>
    /// <param name="text">Its text.</param>
    /// <param name="freeText">Gets documentation that belongs to no definition.</param>
    public static IEnumerable<SchemaExpression> Parse(string file, string text, Action<Documentation> freeText)
    {
        var syntax = new SchemaSyntax(file, text);
        Documentation? pending = null;
        while (syntax._lexer.Kind != TokenKind.End)
        {
            if (syntax._lexer.Kind == TokenKind.Doc)
            {
                ForbidPending(pending);
                pending = Documentation.Parse(syntax._lexer.Location, syntax._lexer.Text);
                syntax._lexer.Next();
                if (pending.Name == null)
                {
                    freeText(pending);
                    pending = null;
                }

                continue;
            }

            if (!syntax._lexer.Is('{'))
            {
                throw new SchemaException(syntax._lexer.Location, $"expected '{{', found {syntax._lexer.Description}");
            }

            yield return new SchemaExpression((SchemaObject)syntax.Value(0), pending);
            pending = null;
        }

        ForbidPending(pending);
    }

    private static void ForbidPending(Documentation? pending)
    {
        if (pending != null)
        {
            throw new SchemaException(pending.Location, $"the documentation of '{pending.Name}' is not followed by its definition");
        }
    }

    private SchemaValue Value(int depth)
    {
        var location = _lexer.Location;
        if (depth > SchemaLimits.Nesting)
        {
            throw new SchemaException(location, $"more than {SchemaLimits.Nesting} brackets within each other");
        }

        if (_lexer.Kind == TokenKind.String)
        {
            var text = _lexer.Text;
            _lexer.Next();
            return new SchemaString(location, text);
        }

        if (_lexer.Kind is TokenKind.True or TokenKind.False)
        {
            var value = _lexer.Kind == TokenKind.True;
            _lexer.Next();
            return new SchemaBool(location, value);
        }

        return TryTake('{') ? Object(location, depth)
            : TryTake('[') ? List(location, depth)
            : throw Unexpected("a string, a truth value, '[' or '{'");
    }

    private SchemaObject Object(SourceLocation location, int depth)
    {
        var members = new List<KeyValuePair<string, SchemaValue>>();
        var names = new HashSet<string>();
        if (!TryTake('}'))
        {
            do
            {
                if (_lexer.Kind != TokenKind.String)
                {
                    throw Unexpected("a string");
                }

                var key = _lexer.Text;
                if (!names.Add(key))
                {
                    throw new SchemaException(_lexer.Location, $"duplicate key '{key}'");
                }

                _lexer.Next();
                if (!TryTake(':'))
                {
                    throw Unexpected("':'");
                }

                members.Add(new KeyValuePair<string, SchemaValue>(key, Value(depth + 1)));
            }
            while (TryTake(','));

            if (!TryTake('}'))
            {
                throw Unexpected("',' or '}'");
            }
        }

        return new SchemaObject(location, members);
    }

    private SchemaList List(SourceLocation location, int depth)
    {
        var items = new List<SchemaValue>();
        if (!TryTake(']'))
        {
            do
            {
                items.Add(Value(depth + 1));
            }
            while (TryTake(','));

            if (!TryTake(']'))
            {
                throw Unexpected("',' or ']'");
            }
        }

        return new SchemaList(location, items);
    }

    private bool TryTake(char punctuation)
    {
        if (!_lexer.Is(punctuation))
        {
            return false;
        }

        _lexer.Next();
        return true;
    }

    private SchemaException Unexpected(string expected) =>
        new(_lexer.Location, $"expected {expected}, found {_lexer.Description}");
}
