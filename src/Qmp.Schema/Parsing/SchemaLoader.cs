using Qmp.Schema.Model;

namespace Qmp.Schema.Parsing;

/// <summary>An expression that defines something, and the module it stands in.</summary>
internal sealed record SchemaDefinition(SchemaExpression Expression, string Module);

/// <summary>Reads a schema with all that it includes; each file once, where it is first included.</summary>
internal sealed class SchemaLoader
{
    private readonly Func<string, string?> _readFile;
    private readonly HashSet<string> _loaded = [];
    private readonly List<string> _open = [];
    private readonly List<SchemaDefinition> _definitions = [];
    private readonly List<SchemaSection> _sections = [];

    private SchemaLoader(Func<string, string?> readFile) => _readFile = readFile;

    public SchemaPragmas Pragmas { get; } = new();

    public IReadOnlyList<SchemaDefinition> Definitions => _definitions;

    public IReadOnlyList<SchemaSection> Sections => _sections;

    /// <summary>Loads a schema.</summary>
    /// <param name="path">Its entry file, with forward slashes.</param>
    /// <param name="readFile">Gives the text of a file, or null when it is not there.</param>
    /// <exception cref="SchemaException">A file is missing or malformed.</exception>
    public static SchemaLoader Load(string path, Func<string, string?> readFile)
    {
        var loader = new SchemaLoader(readFile);
        loader.LoadFile(Normalize(path), new SourceLocation(path, 1));
        return loader;
    }

    private void LoadFile(string path, SourceLocation includedAt)
    {
        if (_open.Contains(path))
        {
            throw new SchemaException(includedAt, $"inclusion loop for {path}");
        }

        if (!_loaded.Add(path))
        {
            return;
        }

        if (_open.Count >= SchemaLimits.IncludeDepth || _loaded.Count > SchemaLimits.Files)
        {
            throw new SchemaException(includedAt, $"more than {SchemaLimits.IncludeDepth} includes within each other or {SchemaLimits.Files} files");
        }

        var text = _readFile(path) ?? throw new SchemaException(includedAt, $"cannot read {path}");
        _open.Add(path);
        var module = ModuleOf(path);
        foreach (var expression in SchemaSyntax.Parse(path, text, free => _sections.Add(new SchemaSection(module, free.Location, free.Body))))
        {
            if (expression.Value["include"] is { } include)
            {
                Directive(expression, "include");
                LoadFile(IncludedPath(path, include), include.Location);
            }
            else if (expression.Value["pragma"] is { } pragma)
            {
                Directive(expression, "pragma");
                Pragmas.Add(pragma);
            }
            else
            {
                _definitions.Add(new SchemaDefinition(expression, module));
                if (_definitions.Count > SchemaLimits.Definitions)
                {
                    throw new SchemaException(expression.Value.Location, $"more than {SchemaLimits.Definitions} definitions");
                }
            }
        }

        _open.RemoveAt(_open.Count - 1);
    }

    private static void Directive(SchemaExpression expression, string name)
    {
        if (expression.Value.Members.Count != 1)
        {
            throw new SchemaException(expression.Value.Location, $"'{name}' stands alone in its object");
        }

        if (expression.Documentation is { } documentation)
        {
            throw new SchemaException(documentation.Location, $"the documentation of '{documentation.Name}' is not followed by its definition");
        }
    }

    private static string IncludedPath(string from, SchemaValue include)
    {
        if (include is not SchemaString { Text: { Length: > 0 } file } || file[0] == '/')
        {
            throw new SchemaException(include.Location, "'include' takes a relative path");
        }

        var slash = from.LastIndexOf('/');
        return Normalize(slash < 0 ? file : from.Substring(0, slash + 1) + file);
    }

    /// <summary><c>a/./b/../c</c> is <c>a/c</c>.</summary>
    public static string Normalize(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Replace('\\', '/').Split('/'))
        {
            if (part == ".." && parts.Count > 0 && parts[parts.Count - 1] is not ("" or ".."))
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part != "." && (part.Length > 0 || parts.Count == 0))
            {
                parts.Add(part);
            }
        }

        return string.Join("/", parts);
    }

    private static string ModuleOf(string path)
    {
        var name = path.Substring(path.LastIndexOf('/') + 1);
        return name.EndsWith(".json", StringComparison.Ordinal) ? name.Substring(0, name.Length - 5) : name;
    }
}
