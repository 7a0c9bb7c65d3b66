using Qmp.Aio;
using Qmp.Block;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Descriptors;

namespace Qmp.Server.Exports;

/// <summary>All exports of the daemon. <b>Main</b>.</summary>
internal sealed class ExportRegistry(ServerContext server)
{
    private readonly List<BlockExport> _exports = [];
    private readonly HashSet<string> _reserved = [];

    /// <summary>The exports, the newest first: the order of <c>query-block-exports</c>.</summary>
    public IEnumerable<BlockExport> All => _exports.AsEnumerable().Reverse();

    /// <summary>Finds an export; null when there is none.</summary>
    public BlockExport? Find(string id) => _exports.Find(e => e.Options.Id == id);

    /// <summary>Makes an export.</summary>
    /// <param name="options">What the user asks for.</param>
    /// <param name="descriptors">Where addresses of type <c>fd</c> find their sockets.</param>
    /// <exception cref="QmpException">It cannot be made; nothing remains of it.</exception>
    public async ValueTask AddAsync(BlockExportOptions options, ISocketDescriptors descriptors)
    {
        if (!Identifiers.IsWellFormed(options.Id))
        {
            throw new QmpException("Invalid block export id");
        }

        // Its name is taken from here on, although it is listed only once it serves.
        if (Find(options.Id) is not null || !_reserved.Add(options.Id))
        {
            throw new QmpException($"Block export id '{options.Id}' is already in use");
        }

        try
        {
            using var change = await server.Graph.BeginChangeAsync();
            _exports.Add(await CreateAsync(change, options, descriptors));
        }
        finally
        {
            _reserved.Remove(options.Id);
        }
    }

    /// <summary>Ends an export: when it returns, the export is gone and its event is sent.</summary>
    public async ValueTask RemoveAsync(BlockExport export)
    {
        export.ShuttingDown = true;
        await export.StopAsync();
        var node = export.Backend.Root;
        using (var change = await server.Graph.BeginChangeAsync())
        {
            await export.Backend.CloseAsync(change);

            // Nobody asked for the iothread any more: home again, so that the iothread can go.
            if (node.Home != server.Main && !server.Graph.Backends.Any(b => b.Home == node.Home))
            {
                await server.Graph.MoveToContextAsync(change, node, server.Main);
            }
        }

        _exports.Remove(export);
        server.Events.Emit(QmpEvents.BlockExportDeleted(export.Options.Id));
    }

    /// <summary>Ends all exports.</summary>
    public async ValueTask ClearAsync()
    {
        while (_exports.Find(e => !e.ShuttingDown) is { } export)
        {
            await RemoveAsync(export);
        }
    }

    private async ValueTask<BlockExport> CreateAsync(GraphChange change, BlockExportOptions options, ISocketDescriptors descriptors)
    {
        BlockExport export = options.Type switch
        {
            BlockExportType.VhostUserBlk => new VhostUserBlk(options, server.Log),
            _ => throw new QmpException("No driver found for the requested export type"),
        };
        var node = server.Graph.Lookup(string.Empty, options.NodeName);
        CheckActivity(export, node);
        var home = HomeFor(export, node);
        if (node.ReadOnly && (options.Writable ?? false))
        {
            throw new QmpException("Cannot export read-only node as writable");
        }

        try
        {
            export.Prepare(descriptors);
            export.Backend = await BlockBackend.CreateAsync(
                change,
                node,
                $"export {options.Id}",
                BlockPermissions.ConsistentRead | ((options.Writable ?? false) ? BlockPermissions.Write : 0),
                BlockPermissions.All,
                export.Client);
        }
        catch
        {
            await export.StopAsync();
            throw;
        }

        try
        {
            export.Backend.WriteCacheEnabled = !(options.Writethrough ?? false);
            await MoveAsync(change, export, node, home);
            await export.StartAsync();
            return export;
        }
        catch
        {
            await export.StopAsync();
            await export.Backend.CloseAsync(change);
            throw;
        }
    }

    private static void CheckActivity(BlockExport export, BlockNode node)
    {
        var allowInactive = export.Options.AllowInactive ?? false;
        if (allowInactive && !export.SupportsInactive)
        {
            throw new QmpException("Export type does not support inactive exports");
        }

        if (!node.Active && !allowInactive)
        {
            throw new QmpException($"Cannot export inactive node '{node.NodeName}'");
        }
    }

    private AioContext HomeFor(BlockExport export, BlockNode node)
    {
        if (export.Options.Iothread is not { } iothreads)
        {
            return node.Home;
        }

        if (iothreads.Multi is not { } names)
        {
            return Named(iothreads.Single!);
        }

        if (names.Count == 0)
        {
            throw new QmpException("The set of I/O threads must not be empty");
        }

        if (!export.SupportsMultipleIoThreads)
        {
            throw new QmpException($"{export.Options.Type.ToWireName()} export does not support multi-threading");
        }

        return names.Select(Named).ToArray()[0];
    }

    private AioContext Named(string id) =>
        server.Objects.FindIoThread(id)?.Context ?? throw new QmpException($"iothread \"{id}\" not found");

    // Where the node may not go it stays, unless the user insists.
    private async ValueTask MoveAsync(GraphChange change, BlockExport export, BlockNode node, AioContext home)
    {
        try
        {
            await server.Graph.MoveToContextAsync(change, node, home);
        }
        catch (QmpException e) when (!(export.Options.FixedIothread ?? false))
        {
            server.Log($"export '{export.Options.Id}' stays on '{node.Home.Name}': {e.Description}");
        }
    }
}
