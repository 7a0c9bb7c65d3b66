using Qmp.Schema.Model;

namespace Qmp.Schema.Generator;

/// <summary>C# for a type of the schema: its name, and how a value of it is read and written.</summary>
internal static class TypeExpressions
{
    public static string Name(SchemaType type) => type switch
    {
        BuiltinType builtin => builtin.Name switch
        {
            "str" => "string",
            "int" or "int64" => "long",
            "int8" => "sbyte",
            "int16" => "short",
            "int32" => "int",
            "uint8" => "byte",
            "uint16" => "ushort",
            "uint32" => "uint",
            "uint64" or "size" => "ulong",
            "number" => "double",
            "bool" => "bool",
            "null" => "QapiNull",
            _ => "global::System.Text.Json.JsonElement",
        },
        ArrayType array => $"global::System.Collections.Generic.IReadOnlyList<{Name(array.Element)}>",
        _ => type.Name,
    };

    /// <summary>An expression that takes the value on which <paramref name="reader"/> stands.</summary>
    public static string Read(SchemaType type, string reader) => type switch
    {
        BuiltinType builtin => reader + builtin.Name switch
        {
            "str" => ".ReadString()",
            "int" or "int64" => ".ReadInt64()",
            "int8" => ".ReadInt8()",
            "int16" => ".ReadInt16()",
            "int32" => ".ReadInt32()",
            "uint8" => ".ReadUInt8()",
            "uint16" => ".ReadUInt16()",
            "uint32" => ".ReadUInt32()",
            "uint64" => ".ReadUInt64()",
            "size" => ".ReadSize()",
            "number" => ".ReadNumber()",
            "bool" => ".ReadBoolean()",
            "null" => ".ReadNull()",
            _ => ".ReadAny()",
        },
        ArrayType array => $"{reader}.ReadList<{Name(array.Element)}>(static (ref QapiReader item) => {Read(array.Element, "item")})",
        EnumType => $"{type.Name}Names.Read(ref {reader})",
        _ => $"{type.Name}.Read(ref {reader})",
    };

    /// <summary>A statement that writes a value to <c>writer</c>.</summary>
    public static string Write(SchemaType type, string value, string writer = "writer") => type switch
    {
        BuiltinType { Name: "null" } => $"{writer}.Null();",
        BuiltinType => $"{writer}.Value({value});",
        EnumType => $"{writer}.Value({type.Name}Names.ToUtf8({value}));",
        ArrayType array => $"{writer}.BeginList(); foreach (var item{Depth(array)} in {value}) {{ {Write(array.Element, "item" + Depth(array), writer)} }} {writer}.EndList();",
        _ => $"{value}.Write({writer});",
    };

    private static int Depth(ArrayType array) => array.Element is ArrayType inner ? Depth(inner) + 1 : 0;
}
