using Qmp.Schema.Model;

namespace Qmp.Schema.Generator;

/// <summary>The client's side: an extension method per command, and a constant per event that knows how to read its data.</summary>
internal static class ClientEmitter
{
    // Part of connecting.
    private const string Negotiation = "qmp_capabilities";

    private const string Options = "QmpCallOptions? call = null, global::System.Threading.CancellationToken cancellationToken = default";

    public static string EmitCommands(TargetNamespace ns, IReadOnlyList<SchemaCommand> commands)
    {
        var code = new CodeWriter(ns);
        code.Line();
        code.Line("/// <summary>The commands of the schema, typed. What they throw is described at <c>QmpClient.CallAsync</c>.</summary>");
        code.Open("public static class QmpCommands");
        foreach (var command in commands.Where(command => command.Name != Negotiation))
        {
            EmitCommand(code, command);
        }

        code.Close();
        return code.ToString();
    }

    public static string EmitEvents(TargetNamespace ns, IReadOnlyList<SchemaEvent> events)
    {
        var code = new CodeWriter(ns);
        code.Line();
        code.Line("/// <summary>The events of the schema.</summary>");
        code.Open("public static class QmpEventTypes");
        foreach (var @event in events)
        {
            var type = @event.Data == null ? "QmpEventType" : $"QmpEventType<{CSharpNames.Data(@event)}>";
            var read = @event.Data == null ? "" : $", static (ref QapiReader reader) => {CSharpNames.Data(@event)}.Read(ref reader)";
            code.Document("summary", @event.Documentation?.Body, $"Event <c>{@event.Name}</c>.");
            code.Line($"public static {type} {CSharpNames.Event(@event.Name)} {{ get; }} = new({CSharpNames.Literal(@event.Name)}{read});");
        }

        code.Close();
        return code.ToString();
    }

    private static void EmitCommand(CodeWriter code, SchemaCommand command)
    {
        code.Document("summary", command.Documentation?.Body, $"Command <c>{command.Name}</c>.");
        if (command is { Generate: true, Arguments.IsImplicit: true })
        {
            foreach (var member in command.Arguments.Members)
            {
                var text = command.Documentation?.Members.TryGetValue(member.Name, out var found) == true ? found : null;
                code.Document($"param name=\"{CSharpNames.Parameter(member.Name).TrimStart('@')}\"", text, $"Member <c>{member.Name}</c>.");
            }
        }

        if (command.Documentation?.Returns is { } returns)
        {
            code.Document("returns", returns, "");
        }

        var name = CSharpNames.Literal(command.Name);
        var method = CSharpNames.Pascal(command.Name) + "Async";
        if (!command.Generate)
        {
            code.Line($"public static global::System.Threading.Tasks.Task<global::System.Text.Json.JsonElement> {method}(this QmpClient qmp, global::System.Text.Json.Nodes.JsonObject? arguments = null, {Options}) => qmp.ExecuteAsync({name}, arguments, call, cancellationToken);");
            return;
        }

        var call = command.SuccessResponse ? "call" : "(call ?? new QmpCallOptions()) with { NoReply = true }";
        var head = $"{method}(this QmpClient qmp, {Parameters(command)}{Options})";
        var arguments = Arguments(command);
        code.Line(command.Returns is null or ObjectType { IsEmpty: true, IsImplicit: true }
            ? $"public static global::System.Threading.Tasks.Task {head} => qmp.CallAsync({name}, {arguments}, {call}, cancellationToken);"
            : $"public static global::System.Threading.Tasks.Task<{TypeExpressions.Name(command.Returns)}> {head} => qmp.CallAsync({name}, {arguments}, static (ref QapiReader reader) => {TypeExpressions.Read(command.Returns, "reader")}, {call}, cancellationToken);");
    }

    // What is written in place in the schema is written in place in C#, required members first.
    private static string Parameters(SchemaCommand command) => command.Arguments switch
    {
        null => "",
        { IsImplicit: true } => string.Concat(command.Arguments.Members.OrderBy(member => member.IsOptional).Select(member =>
            TypeExpressions.Name(member.Type) + (member.IsOptional ? "? " : " ") + CSharpNames.Parameter(member.Name) + (member.IsOptional ? " = null, " : ", "))),
        _ => CSharpNames.Arguments(command) + " arguments, ",
    };

    private static string Arguments(SchemaCommand command)
    {
        if (command.Arguments is not { IsImplicit: true })
        {
            return command.Arguments == null ? "null" : "arguments";
        }

        var type = CSharpNames.Arguments(command);
        var values = command.Arguments.Members.Select(member => $"{CSharpNames.Property(member.Name, type)} = {CSharpNames.Parameter(member.Name)}");
        return $"new {type} {{ {string.Join(", ", values)} }}";
    }
}
