using Qmp.Aio;
using Qmp.Block;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Commands;

/// <summary>
/// Handlers of the module <c>block-core</c>: this file changes nodes, the others of the class ask about them and
/// handle their bitmaps.
/// </summary>
internal sealed partial class BlockCoreCommands(ServerContext server) : IBlockCoreCommands
{
    private BlockGraph Graph => server.Graph;

    public async ValueTask BlockdevAddAsync(BlockdevOptions arguments, QmpCommandContext context) =>
        await Graph.OpenAsync(arguments);

    public ValueTask BlockdevDelAsync(BlockdevDelArguments arguments, QmpCommandContext context) =>
        Graph.DeleteAsync(arguments.NodeName);

    public ValueTask BlockdevReopenAsync(BlockdevReopenArguments arguments, QmpCommandContext context) =>
        Graph.ReopenAsync(arguments.Options);

    public ValueTask BlockResizeAsync(BlockResizeArguments arguments, QmpCommandContext context)
    {
        BlockNode node = Graph.Lookup(arguments.Device, arguments.NodeName);
        return Graph.ResizeAsync(node, arguments.Size);
    }

    public ValueTask BlockSetWriteThresholdAsync(BlockSetWriteThresholdArguments arguments, QmpCommandContext context)
    {
        BlockNode node = Graph.TryFind(arguments.NodeName) ?? throw new QmpException($"Device '{arguments.NodeName}' not found");
        node.SetWriteThreshold(arguments.WriteThreshold);
        return ValueTask.CompletedTask;
    }

    public ValueTask XBlockdevSetIothreadAsync(XBlockdevSetIothreadArguments arguments, QmpCommandContext context)
    {
        BlockNode node = Graph.Find(arguments.NodeName);
        AioContext target = server.Main;
        if (arguments.Iothread.S is { } name)
        {
            target = server.Objects.FindIoThread(name)?.Context ?? throw new QmpException($"Cannot find iothread {name}");
        }

        return Graph.MoveToContextAsync(node, target, arguments.Force ?? false);
    }
}
