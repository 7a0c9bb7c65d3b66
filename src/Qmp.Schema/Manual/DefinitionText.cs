using Qmp.Schema.Model;
using Qmp.Schema.Parsing;

namespace Qmp.Schema.Manual;

/// <summary>What the schema says about a command or event, in words. Immutable.</summary>
public sealed class DefinitionText
{
    private DefinitionText(Documentation? documentation, IReadOnlyDictionary<string, string> members)
    {
        Body = documentation?.Body ?? "";
        Returns = documentation?.Returns;
        Members = members;
    }

    /// <summary>What it is for; paragraphs stand apart by an empty line, names begin with <c>@</c>.</summary>
    public string Body { get; }

    /// <summary>What it returns; null where there is nothing to say.</summary>
    public string? Returns { get; }

    /// <summary>Each member or argument by name, those of branches included. Of two with one name the first.</summary>
    public IReadOnlyDictionary<string, string> Members { get; }

    /// <summary>Reads all commands and events of a schema, those included that do not work yet.</summary>
    /// <param name="path">Its entry file, with forward slashes.</param>
    /// <param name="readFile">Gives the text of a file, or null when it is not there.</param>
    /// <exception cref="FormatException">The schema is malformed; the message starts with file and line.</exception>
    public static IReadOnlyDictionary<string, DefinitionText> Load(string path, Func<string, string?> readFile)
    {
        try
        {
            return SchemaBuilder.Build(path, readFile, ["*"]).InOrder.ToDictionary(definition => definition.Name, Describe);
        }
        catch (SchemaException e)
        {
            throw new FormatException(e.Message, e);
        }
    }

    private static DefinitionText Describe(SchemaEntity definition)
    {
        var members = new Dictionary<string, string>();
        Add(definition.Documentation);
        var type = definition is SchemaCommand command ? command.Arguments : (definition as SchemaEvent)?.Data;
        for (var at = type; at != null; at = at.Base)
        {
            Add(at.Documentation);
        }

        foreach (var branch in type?.Branches ?? [])
        {
            for (var at = branch.Type; at != null; at = at.Base)
            {
                Add(at.Documentation);
            }
        }

        return new(definition.Documentation, members);

        void Add(Documentation? documentation)
        {
            foreach (var member in documentation?.Members ?? new Dictionary<string, string>())
            {
                if (!members.ContainsKey(member.Key))
                {
                    members.Add(member.Key, member.Value);
                }
            }
        }
    }
}
