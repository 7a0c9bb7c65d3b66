using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Monitors;

namespace Qmp.Server.Commands;

/// <summary>The commands of module <c>control</c>.</summary>
/// <param name="commands">All commands, once they are composed.</param>
/// <param name="requestStop">Asks for the end of the daemon.</param>
internal sealed class ControlCommands(Func<IQmpCommandTable> commands, Action requestStop) : IControlCommands
{
    /// <inheritdoc/>
    public ValueTask QmpCapabilitiesAsync(QmpCapabilitiesArguments arguments, QmpCommandContext context)
    {
        if (context.Connection is QmpConnection connection)
        {
            connection.Negotiate(arguments.Enable?.Contains(QMPCapability.Oob) ?? false);
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask<VersionInfo> QueryVersionAsync(QmpCommandContext context) => new(QmpVersion.Current);

    /// <inheritdoc/>
    /// <remarks>The last of the schema comes first, as in QEMU.</remarks>
    public ValueTask<IReadOnlyList<CommandInfo>> QueryCommandsAsync(QmpCommandContext context) =>
        new([.. commands().Commands.Reverse().Select(command => new CommandInfo { Name = command.Name })]);

    /// <inheritdoc/>
    public ValueTask QuitAsync(QmpCommandContext context)
    {
        requestStop();
        return default;
    }
}
