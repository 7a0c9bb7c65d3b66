using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;

namespace Qmp.Hosting;

/// <summary>The commands that every server has.</summary>
/// <param name="host">The server.</param>
internal sealed class HostCommands(QmpHost host) : IControlCommands
{
    public ValueTask QmpCapabilitiesAsync(QmpCapabilitiesArguments arguments, QmpCommandContext context)
    {
        ((HostConnection)context.Connection).Negotiate(arguments.Enable?.Contains(QMPCapability.Oob) ?? false);
        return default;
    }

    public ValueTask<VersionInfo> QueryVersionAsync(QmpCommandContext context) => new(host.Options.Version);

    public ValueTask<IReadOnlyList<CommandInfo>> QueryCommandsAsync(QmpCommandContext context) =>
        new([.. host.Commands.Commands.Select(command => new CommandInfo { Name = command.Name })]);

    public ValueTask QuitAsync(QmpCommandContext context)
    {
        host.RequestQuit();
        return default;
    }
}

/// <summary>The command that shows the schema.</summary>
/// <param name="schema">The answer, generated.</param>
internal sealed class HostIntrospection(IQapiWritable schema) : IIntrospectCommands
{
    public ValueTask<IQapiWritable?> QueryQmpSchemaAsync(QapiDocument arguments, QmpCommandContext context)
    {
        var reader = new QapiReader(arguments);
        reader.EndObject(reader.BeginObject());
        return new(schema);
    }
}
