using Qmp.Schema.Model;

namespace Qmp.Schema.Generator;

/// <summary>A class for an alternate: one of its properties is set, by the JSON type of the value.</summary>
internal static class AlternateEmitter
{
    public static void Emit(CodeWriter code, AlternateType type)
    {
        code.Line();
        code.Document("summary", type.Documentation?.Body, $"Alternate <c>{type.Name}</c> of the schema.");
        code.Open($"public sealed class {type.Name} : IQapiWritable");
        foreach (var branch in type.Branches)
        {
            var text = type.Documentation?.Members.TryGetValue(branch.Name, out var found) == true ? found : null;
            code.Document("summary", text, $"Branch <c>{branch.Name}</c>.");
            code.Line($"public {TypeExpressions.Name(branch.Type)}? {CSharpNames.Property(branch.Name, type.Name)} {{ get; set; }}");
        }

        code.Line("/// <summary>Takes a value of this type from a reader, strictly.</summary>");
        code.Open($"public static {type.Name} Read(ref QapiReader reader) => reader.Kind switch");
        foreach (var branch in type.Branches)
        {
            code.Line($"{Kinds(branch.Type)} => new() {{ {CSharpNames.Property(branch.Name, type.Name)} = {TypeExpressions.Read(branch.Type, "reader")} }},");
        }

        // On the command line a number or truth value is a string; no alternate has both.
        foreach (var branch in type.Branches.Where(b => b.Type.JsonType is JsonTypes.Number or JsonTypes.Bool))
        {
            if (type.Branches.All(b => b.Type.JsonType != JsonTypes.String))
            {
                code.Line($"QapiKind.String when reader.IsKeyval => new() {{ {CSharpNames.Property(branch.Name, type.Name)} = {TypeExpressions.Read(branch.Type, "reader")} }},");
                break;
            }
        }

        code.Line($"_ => throw reader.NoBranch({CSharpNames.Literal(type.Name)}),");
        code.Close("};");
        code.Line("/// <inheritdoc/>");
        code.Open("public void Write(QapiWriter writer)");
        var word = "if";
        foreach (var branch in type.Branches)
        {
            code.Line($"{word} ({CSharpNames.Property(branch.Name, type.Name)} is {{ }} branch{CSharpNames.Pascal(branch.Name)}) {{ {TypeExpressions.Write(branch.Type, "branch" + CSharpNames.Pascal(branch.Name))} }}");
            word = "else if";
        }

        code.Line("else { throw new global::System.InvalidOperationException(\"no branch is set\"); }");
        code.Close();
        code.Close();
    }

    private static string Kinds(SchemaType type) => type.JsonType switch
    {
        JsonTypes.String => "QapiKind.String",
        JsonTypes.Number => "QapiKind.Integer or QapiKind.Unsigned or QapiKind.Float",
        JsonTypes.Bool => "QapiKind.Bool",
        JsonTypes.Null => "QapiKind.Null",
        JsonTypes.List => "QapiKind.List",
        _ => "QapiKind.Object",
    };
}
