using System.Text;
using Qmp.Schema.Model;

namespace Qmp.Schema.Generator;

/// <summary>How names of the schema look in C#.</summary>
internal static class CSharpNames
{
    private static readonly HashSet<string> Keywords =
    [
        "abstract", "as", "base", "bool", "break", "byte", "case", "catch", "char", "checked", "class", "const", "continue",
        "decimal", "default", "delegate", "do", "double", "else", "enum", "event", "explicit", "extern", "false", "finally",
        "fixed", "float", "for", "foreach", "goto", "if", "implicit", "in", "int", "interface", "internal", "is", "lock",
        "long", "namespace", "new", "null", "object", "operator", "out", "override", "params", "private", "protected",
        "public", "readonly", "ref", "return", "sbyte", "sealed", "short", "sizeof", "stackalloc", "static", "string",
        "struct", "switch", "this", "throw", "true", "try", "typeof", "uint", "ulong", "unchecked", "unsafe", "ushort",
        "using", "virtual", "void", "volatile", "while",
    ];

    /// <summary><c>node-name</c> is <c>NodeName</c>, <c>BLOCK_IO_ERROR</c> is <c>BlockIoError</c>, <c>2</c> is <c>_2</c>.</summary>
    public static string Pascal(string name)
    {
        var shouts = name.Contains('_') && !name.Any(c => c is >= 'a' and <= 'z');
        var result = new StringBuilder();
        foreach (var word in name.Split('-', '_', '.'))
        {
            if (word.Length > 0)
            {
                result.Append(char.ToUpperInvariant(word[0]));
                result.Append(shouts ? word.Substring(1).ToLowerInvariant() : word.Substring(1));
            }
        }

        return result.Length == 0 || result[0] is >= '0' and <= '9' ? "_" + result : result.ToString();
    }

    public static string Event(string name) =>
        name.Contains('_') ? Pascal(name) : Pascal(name.ToLowerInvariant());

    public static string Parameter(string name)
    {
        var pascal = Pascal(name);
        var camel = char.ToLowerInvariant(pascal[0]) + pascal.Substring(1);
        return Keywords.Contains(camel) ? "@" + camel : camel;
    }

    /// <summary>The property for a member of a type: it may not be called like its class.</summary>
    public static string Property(string name, string owner) =>
        Pascal(name) is var property && property == owner ? property + "Value" : property;

    public static string Type(ObjectType type) => type.Name;

    public static string Arguments(SchemaCommand command) =>
        command.Arguments!.IsImplicit ? Pascal(command.Name) + "Arguments" : command.Arguments.Name;

    public static string Data(SchemaEvent @event) =>
        @event.Data!.IsImplicit ? Event(@event.Name) + "Data" : @event.Data.Name;

    public static string Interface(string module) => "I" + Pascal(module) + "Commands";

    /// <summary>A string constant.</summary>
    public static string Literal(string text) => "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";
}
