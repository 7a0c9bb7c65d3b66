namespace Qmp.Schema.Parsing;

/// <summary>A piece of a schema file as it was written, before anything is known about its meaning.</summary>
internal abstract class SchemaValue(SourceLocation location)
{
    public SourceLocation Location { get; } = location;

    /// <summary>What to call it in an error.</summary>
    public abstract string Kind { get; }
}

internal sealed class SchemaString(SourceLocation location, string text) : SchemaValue(location)
{
    public string Text { get; } = text;

    public override string Kind => "string";
}

internal sealed class SchemaBool(SourceLocation location, bool value) : SchemaValue(location)
{
    public bool Value { get; } = value;

    public override string Kind => "truth value";
}

internal sealed class SchemaList(SourceLocation location, IReadOnlyList<SchemaValue> items) : SchemaValue(location)
{
    public IReadOnlyList<SchemaValue> Items { get; } = items;

    public override string Kind => "list";
}

internal sealed class SchemaObject(SourceLocation location, IReadOnlyList<KeyValuePair<string, SchemaValue>> members)
    : SchemaValue(location)
{
    public IReadOnlyList<KeyValuePair<string, SchemaValue>> Members { get; } = members;

    public override string Kind => "object";

    public SchemaValue? this[string name]
    {
        get
        {
            foreach (var member in Members)
            {
                if (member.Key == name)
                {
                    return member.Value;
                }
            }

            return null;
        }
    }
}
