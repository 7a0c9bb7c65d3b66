using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Monitors;

namespace Qmp.Server.Commands;

/// <summary>The commands of module <c>block-export</c>.</summary>
internal sealed class BlockExportCommands(ServerContext server) : IBlockExportCommands
{
    public ValueTask BlockExportAddAsync(BlockExportOptions arguments, QmpCommandContext context) =>
        server.Exports.AddAsync(arguments, QmpConnection.DescriptorsOf(context.Connection));

    public ValueTask BlockExportDelAsync(BlockExportDelArguments arguments, QmpCommandContext context)
    {
        // Both modes disconnect a vhost-user front end, as in QEMU: it may come back to the next export.
        var export = server.Exports.Find(arguments.Id) ?? throw new QmpException($"Export '{arguments.Id}' is not found");
        return export.ShuttingDown
            ? throw new QmpException($"Export '{arguments.Id}' is already shutting down")
            : server.Exports.RemoveAsync(export);
    }

    public ValueTask<IReadOnlyList<BlockExportInfo>> QueryBlockExportsAsync(QmpCommandContext context) =>
        ValueTask.FromResult<IReadOnlyList<BlockExportInfo>>(
            [
                .. server.Exports.All.Select(e => new BlockExportInfo
                {
                    Id = e.Options.Id,
                    Type = e.Options.Type,
                    NodeName = e.Backend.Root.NodeName,
                    ShuttingDown = e.ShuttingDown,
                }),
            ]);
}
