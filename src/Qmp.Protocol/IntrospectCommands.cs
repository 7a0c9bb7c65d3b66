using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;

namespace Qmp.Protocol;

/// <summary>The command of module <c>introspect</c>, for any server. <b>Any</b>.</summary>
/// <param name="schema">The answer: <c>QmpIntrospection.Instance</c> of the generated code.</param>
public sealed class IntrospectCommands(IQapiWritable schema) : IIntrospectCommands
{
    /// <inheritdoc/>
    public ValueTask<IQapiWritable?> QueryQmpSchemaAsync(QapiDocument arguments, QmpCommandContext context)
    {
        var reader = new QapiReader(arguments);
        reader.EndObject(reader.BeginObject());
        return new(schema);
    }
}
