using Qmp.Schema.Model;

namespace Qmp.Schema.Generator;

/// <summary>An enumeration, and the names of its values on the wire.</summary>
internal static class EnumEmitter
{
    /// <param name="code">Where to.</param>
    /// <param name="type">The enumeration.</param>
    /// <param name="isOpen">Whether there is a value for names that other servers have: a client must not fail on them.</param>
    public static void Emit(CodeWriter code, EnumType type, bool isOpen)
    {
        code.Line();
        code.Document("summary", type.Documentation?.Body, $"Enumeration <c>{type.Name}</c> of the schema.");
        code.Open($"public enum {type.Name}");
        if (isOpen)
        {
            code.Line("/// <summary>A value of another server, which this schema lacks. It can be read, not sent; the untyped call has its name.</summary>");
            code.Line("NotInSchema = -1,");
        }

        foreach (var value in type.Values)
        {
            code.Document("summary", Text(type, value), $"<c>{value.Name}</c>");
            code.Line(CSharpNames.Pascal(value.Name) + (isOpen && value == type.Values[0] ? " = 0," : ","));
        }

        code.Close();
        code.Line();
        code.Line($"/// <summary>Names of <see cref=\"{type.Name}\"/> on the wire.</summary>");
        code.Open($"public static class {type.Name}Names");
        code.Line("/// <summary>The name of a value.</summary>");
        Switch(code, $"public static string ToWireName(this {type.Name} value) => value switch", type, "");
        code.Line("/// <summary>The name of a value, as UTF-8.</summary>");
        Switch(code, $"public static global::System.ReadOnlySpan<byte> ToUtf8({type.Name} value) => value switch", type, "u8");
        code.Line("/// <summary>Finds a value by its name.</summary>");
        code.Line($"public static bool TryParse(string name, out {type.Name} value) => TryParse(global::System.Text.Encoding.UTF8.GetBytes(name), out value);");
        code.Line("/// <summary>Finds a value by its name.</summary>");
        code.Open($"public static bool TryParse(global::System.ReadOnlySpan<byte> name, out {type.Name} value)");
        foreach (var value in type.Values)
        {
            code.Line($"if (name.SequenceEqual({CSharpNames.Literal(value.Name)}u8)) {{ value = {type.Name}.{CSharpNames.Pascal(value.Name)}; return true; }}");
        }

        code.Line("value = default;");
        code.Line("return false;");
        code.Close();
        code.Line("/// <summary>Takes a value from a reader.</summary>");
        code.Line($"public static {type.Name} Read(ref QapiReader reader) => TryParse(reader.ReadUtf8(), out var value) ? value : {(isOpen ? $"reader.IsLenient ? {type.Name}.NotInSchema : " : "")}throw reader.NotAccepted();");
        code.Close();
    }

    private static string? Text(EnumType type, EnumValue value) =>
        type.Documentation?.Members.TryGetValue(value.Name, out var text) == true ? text : null;

    private static void Switch(CodeWriter code, string header, EnumType type, string suffix)
    {
        code.Open(header);
        foreach (var value in type.Values)
        {
            code.Line($"{type.Name}.{CSharpNames.Pascal(value.Name)} => {CSharpNames.Literal(value.Name)}{suffix},");
        }

        code.Line("_ => throw new global::System.ArgumentOutOfRangeException(nameof(value)),");
        code.Close("};");
    }
}
