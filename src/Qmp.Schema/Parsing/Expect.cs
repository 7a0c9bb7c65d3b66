namespace Qmp.Schema.Parsing;

/// <summary>What a definition must look like, or an error where it does not.</summary>
internal static class Expect
{
    /// <summary>Has the required keys, and no others than these and the optional ones.</summary>
    public static void Keys(SchemaObject value, string what, string[] required, string[] optional)
    {
        foreach (var key in required)
        {
            if (value[key] == null)
            {
                throw new SchemaException(value.Location, $"{what} needs '{key}'");
            }
        }

        foreach (var member in value.Members)
        {
            if (member.Key != what && !required.Contains(member.Key) && !optional.Contains(member.Key))
            {
                throw new SchemaException(member.Value.Location, $"{what} has no '{member.Key}'");
            }
        }
    }

    public static string Text(SchemaValue value, string problem) =>
        value is SchemaString text ? text.Text : throw new SchemaException(value.Location, problem);

    /// <summary>A name, or an object whose <c>name</c> it is.</summary>
    public static string NameOrObject(SchemaValue value, string what) =>
        Text(value is SchemaObject details ? details["name"] ?? value : value, $"{what} is a name, or an object with 'name'");

    public static SchemaList List(SchemaValue value, string problem) =>
        value as SchemaList ?? throw new SchemaException(value.Location, problem);

    public static SchemaObject Object(SchemaValue value, string problem) =>
        value as SchemaObject ?? throw new SchemaException(value.Location, problem);

    public static bool Flag(SchemaObject value, string name, bool otherwise) => value[name] switch
    {
        null => otherwise,
        SchemaBool flag when flag.Value != otherwise => flag.Value,
        var bad => throw new SchemaException(bad.Location, $"'{name}' may only be {(otherwise ? "false" : "true")}"),
    };
}
