using Qmp.Schema.Model;

namespace Qmp.Schema.Generator;

/// <summary>Interfaces for the handlers of commands, classes for their arguments, and the table that finds them.</summary>
internal static class CommandEmitter
{
    public static string EmitModule(TargetNamespace ns, string module, IReadOnlyList<SchemaCommand> commands)
    {
        var code = new CodeWriter(ns);
        code.Line();
        code.Line($"/// <summary>Handlers of the commands of module <c>{module}</c>. They run on the main loop.</summary>");
        code.Open($"public interface {CSharpNames.Interface(module)}");
        foreach (var command in commands)
        {
            code.Document("summary", command.Documentation?.Body, $"Command <c>{command.Name}</c>.");
            if (command.Documentation?.Returns is { } returns)
            {
                code.Document("returns", returns, "");
            }

            if (command.Documentation?.Errors is { } errors)
            {
                code.Document("exception cref=\"QmpException\"", errors, "");
            }

            code.Line($"{Returns(command)} {Method(command)}({Parameters(command)}QmpCommandContext context);");
        }

        code.Close();
        return code.ToString();
    }

    public static string EmitArguments(TargetNamespace ns, IReadOnlyList<SchemaCommand> commands)
    {
        var code = new CodeWriter(ns);
        foreach (var command in commands.Where(command => command is { Generate: true, Arguments.IsImplicit: true }))
        {
            ObjectEmitter.Emit(code, command.Arguments!, CSharpNames.Arguments(command), $"Arguments of <c>{command.Name}</c>.", command.Documentation);
        }

        return code.ToString();
    }

    public static string EmitTable(TargetNamespace ns, IReadOnlyList<SchemaCommand> commands)
    {
        var modules = commands.Select(command => command.Module).Distinct().ToList();
        var code = new CodeWriter(ns);
        code.Line();
        code.Line("/// <summary>All commands, found by name. Immutable.</summary>");
        code.Open("public sealed class QmpCommandTable : IQmpCommandTable");
        code.Line("private readonly QmpCommand[] _commands;");
        code.Line();
        code.Line("/// <summary>A table over the handlers of all modules.</summary>");
        code.Line("public QmpCommandTable(");
        code.Open("    " + string.Join(",\n        ", modules.Select(module => $"{CSharpNames.Interface(module)} {CSharpNames.Parameter(module)}")) + ")");
        code.Open("_commands =", "[");
        foreach (var command in commands)
        {
            code.Line($"new QapiCommand({CSharpNames.Literal(command.Name)}, {Flag(command.AllowOutOfBand)}, {Flag(command.AllowPreconfig)}, {CSharpNames.Parameter(command.Module)}, {Invoker(command)}),");
        }

        code.Close("];");
        code.Close();
        code.Line();
        code.Line("/// <inheritdoc/>");
        code.Line("public global::System.Collections.Generic.IReadOnlyList<QmpCommand> Commands => _commands;");
        code.Line();
        code.Line("/// <inheritdoc/>");
        code.Open("public bool TryGet(global::System.ReadOnlySpan<byte> name, [global::System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out QmpCommand? command)");
        code.Line("var index = IndexOf(name);");
        code.Line("command = index < 0 ? null : _commands[index];");
        code.Line("return index >= 0;");
        code.Close();
        code.Line();
        code.Line("// By length first: few commands share one.");
        code.Open("private static int IndexOf(global::System.ReadOnlySpan<byte> name) => name.Length switch");
        foreach (var length in commands.Select((command, index) => (command.Name, index)).GroupBy(c => c.Name.Length).OrderBy(g => g.Key))
        {
            code.Line($"{length.Key} => " + string.Concat(length.Select(c => $"name.SequenceEqual({CSharpNames.Literal(c.Name)}u8) ? {c.index} : ")) + "-1,");
        }

        code.Line("_ => -1,");
        code.Close("};");
        code.Close();
        return code.ToString();
    }

    private static string Method(SchemaCommand command) => CSharpNames.Pascal(command.Name) + "Async";

    private static string Returns(SchemaCommand command) => "global::System.Threading.Tasks.ValueTask" + (command switch
    {
        { Generate: false } => "<IQapiWritable?>",
        { Returns: null or ObjectType { IsEmpty: true, IsImplicit: true } } => "",
        { Returns: var returns } => $"<{TypeExpressions.Name(returns)}>",
    });

    private static string Parameters(SchemaCommand command) => command switch
    {
        { Generate: false } => "QapiDocument arguments, ",
        { Arguments: null } => "",
        _ => CSharpNames.Arguments(command) + " arguments, ",
    };

    private static string Flag(bool value) => value ? "true" : "false";

    private static string Invoker(SchemaCommand command)
    {
        var handlers = $"(({CSharpNames.Interface(command.Module)})handlers).{Method(command)}";
        if (!command.Generate)
        {
            return $"static (handlers, arguments, context) => {handlers}(arguments, context)";
        }

        var read = command.Arguments == null
            ? "reader.EndObject(reader.BeginObject());"
            : $"var typed = {CSharpNames.Arguments(command)}.Read(ref reader);";
        var call = $"{handlers}({(command.Arguments == null ? "" : "typed, ")}context)";
        var write = command.Returns is ArrayType or BuiltinType or EnumType
            ? $", static (writer, value) => {{ {TypeExpressions.Write(command.Returns, "value")} }}"
            : "";
        return $"static (handlers, arguments, context) => {{ var reader = new QapiReader(arguments); {read} return QapiResult.From({call}{write}); }}";
    }
}
