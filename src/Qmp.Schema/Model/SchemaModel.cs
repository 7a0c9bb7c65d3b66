namespace Qmp.Schema.Model;

/// <summary>A schema whose every rule has been checked. Conditions are decided: what does not exist is not here.</summary>
internal sealed class SchemaModel
{
    public required IReadOnlyList<SchemaType> Types { get; init; }

    public required IReadOnlyList<SchemaCommand> Commands { get; init; }

    public required IReadOnlyList<SchemaEvent> Events { get; init; }

    /// <summary>Commands and events in the order of introspection: as they stand in the files, includes first.</summary>
    public required IReadOnlyList<SchemaEntity> InOrder { get; init; }

    /// <summary>All conditions that <c>if</c> may ask for, each with the reason why it does not hold yet.</summary>
    public required IReadOnlyDictionary<string, string> Conditions { get; init; }

    /// <summary>Headings and text between definitions, file by file.</summary>
    public required IReadOnlyList<SchemaSection> Sections { get; init; }
}

/// <summary>Text of a module that belongs to no definition; its first line is a heading, <c>= Title</c> or <c>== Title</c>.</summary>
internal sealed record SchemaSection(string Module, SourceLocation Location, string Text);
