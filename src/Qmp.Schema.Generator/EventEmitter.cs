using Qmp.Schema.Model;

namespace Qmp.Schema.Generator;

/// <summary>A factory method per event, and a class for its data.</summary>
internal static class EventEmitter
{
    public static string Emit(TargetNamespace ns, IReadOnlyList<SchemaEvent> events)
    {
        var code = new CodeWriter(ns);
        code.Line();
        code.Line("/// <summary>Makes the events of the schema.</summary>");
        code.Open("public static class QmpEvents");
        foreach (var @event in events)
        {
            EmitFactory(code, @event);
        }

        code.Close();
        return code.ToString();
    }

    public static string EmitData(TargetNamespace ns, IReadOnlyList<SchemaEvent> events)
    {
        var code = new CodeWriter(ns);
        foreach (var @event in events.Where(@event => @event.Data is { IsImplicit: true }))
        {
            ObjectEmitter.Emit(code, @event.Data!, CSharpNames.Data(@event), $"Data of event <c>{@event.Name}</c>.", @event.Documentation);
        }

        return code.ToString();
    }

    private static void EmitFactory(CodeWriter code, SchemaEvent @event)
    {
        var name = CSharpNames.Literal(@event.Name);
        code.Document("summary", @event.Documentation?.Body, $"Event <c>{@event.Name}</c>.");
        if (@event.Data == null)
        {
            code.Line($"public static QmpEvent {CSharpNames.Event(@event.Name)}() => new({name});");
        }
        else if (@event.Boxed)
        {
            code.Line($"public static QmpEvent {CSharpNames.Event(@event.Name)}({CSharpNames.Data(@event)} data) => new({name}, data);");
        }
        else
        {
            var data = CSharpNames.Data(@event);
            var members = @event.Data.Members.ToList();
            foreach (var member in members)
            {
                if (@event.Documentation?.Members.TryGetValue(member.Name, out var text) == true)
                {
                    code.Document($"param name=\"{CSharpNames.Parameter(member.Name).TrimStart('@')}\"", text, "");
                }
            }

            var parameters = members.OrderBy(member => member.IsOptional).Select(member =>
                TypeExpressions.Name(member.Type) + (member.IsOptional ? "? " : " ") + CSharpNames.Parameter(member.Name) + (member.IsOptional ? " = null" : ""));
            var values = members.Select(member => $"{CSharpNames.Property(member.Name, data)} = {CSharpNames.Parameter(member.Name)}");
            code.Line($"public static QmpEvent {CSharpNames.Event(@event.Name)}({string.Join(", ", parameters)}) => new({name}, new {data} {{ {string.Join(", ", values)} }});");
        }
    }
}
