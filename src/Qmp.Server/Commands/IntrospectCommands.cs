using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Commands;

/// <summary>The command of module <c>introspect</c>.</summary>
internal sealed class IntrospectCommands : IIntrospectCommands
{
    /// <inheritdoc/>
    public ValueTask<IQapiWritable?> QueryQmpSchemaAsync(QapiDocument arguments, QmpCommandContext context)
    {
        var reader = new QapiReader(arguments);
        reader.EndObject(reader.BeginObject());
        return new ValueTask<IQapiWritable?>(QmpIntrospection.Instance);
    }
}
