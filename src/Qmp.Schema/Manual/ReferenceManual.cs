using Qmp.Schema.Parsing;

namespace Qmp.Schema.Manual;

/// <summary>The reference manual of a schema: all that it defines, with what works and what does not yet.</summary>
public sealed class ReferenceManual
{
    private readonly ManualContent _content;

    private ReferenceManual(ManualContent content) => _content = content;

    /// <summary>Reads a schema with all that it includes.</summary>
    /// <param name="path">Its entry file, with forward slashes.</param>
    /// <param name="readFile">Gives the text of a file, or null when it is not there.</param>
    /// <exception cref="FormatException">The schema is malformed; the message starts with file and line.</exception>
    public static ReferenceManual Load(string path, Func<string, string?> readFile)
    {
        try
        {
            var live = SchemaBuilder.Build(path, readFile, []);
            var whole = SchemaBuilder.Build(path, readFile, live.Conditions.Keys);
            return new ReferenceManual(new ManualContent(live, whole, condition => SchemaBuilder.Build(path, readFile, [condition])));
        }
        catch (SchemaException e)
        {
            throw new FormatException(e.Message, e);
        }
    }

    /// <summary>One HTML page that needs no other file. Every definition has its name as anchor.</summary>
    public string Html() => new HtmlManual(_content).Render();

    /// <summary>A page for <c>man</c>, in section 7.</summary>
    /// <param name="date">The date that stands in its foot, YYYY-MM-DD.</param>
    public string ManPage(string date) => new ManPage(_content, date).Render();

    /// <summary>The examples of what works, by name of the definition, each a session that a player can play.</summary>
    public IReadOnlyDictionary<string, string> Examples() =>
        _content.Definitions.Where(definition => definition.Documentation?.Example != null && _content.IsLive(definition))
            .ToDictionary(definition => definition.Name, definition => ExampleSession.From(definition.Name, definition.Documentation!.Example!));
}
