using Qmp.Protocol;
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
