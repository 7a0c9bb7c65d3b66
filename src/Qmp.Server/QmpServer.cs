using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;
using Qmp.Server.Commands;

namespace Qmp.Server;

/// <summary>
/// A storage daemon without its command line: all parts, composed. <b>Main</b> unless said otherwise.
/// </summary>
public sealed class QmpServer
{
    private readonly ServerContext _context;
    private readonly QmpCommandContext _commandLine;
    private bool _isStopped;

    /// <summary>Composes a server that has no monitors, nodes, objects or exports yet.</summary>
    /// <param name="options">How it is set up.</param>
    public QmpServer(ServerOptions options)
    {
        _context = new ServerContext(options);
        _commandLine = new QmpCommandContext(new CommandLineConnection(), options.Events);
    }

    /// <summary>Completed when somebody asked for the end: <c>quit</c>, or a signal. <b>Any</b>.</summary>
    public Task StopRequested => _context.StopRequested;

    /// <summary>Asks for an orderly end. <b>Any</b>; idempotent.</summary>
    public void RequestStop() => _context.RequestStop();

    /// <summary>Runs a command on behalf of the command line.</summary>
    /// <param name="command">Its name.</param>
    /// <param name="arguments">Its arguments, an object.</param>
    /// <exception cref="QmpException">It failed.</exception>
    public async ValueTask ExecuteAsync(string command, QapiDocument arguments)
    {
        switch (command)
        {
            case "blockdev-add":
                await _context.Graph.OpenAsync(Read(arguments, BlockdevOptions.Read));
                break;
            case "object-add":
                await new QomCommands(_context).ObjectAddAsync(Read(arguments, ObjectOptions.Read), _commandLine);
                break;
            default:
                await new BlockExportCommands(_context).BlockExportAddAsync(Read(arguments, BlockExportOptions.Read), _commandLine);
                break;
        }
    }

    private delegate T Reader<T>(ref QapiReader reader);

    private static T Read<T>(QapiDocument document, Reader<T> read)
    {
        var reader = new QapiReader(document);
        return read(ref reader);
    }

    /// <summary>Makes a character device.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="socket">What it is.</param>
    public void AddChardev(string id, ChardevSocket socket) => throw new QmpException("not yet");

    /// <summary>Makes a monitor; it serves from <see cref="StartAsync"/> on.</summary>
    /// <param name="options">Its options.</param>
    /// <exception cref="QmpException">It cannot be made.</exception>
    public void AddMonitor(MonitorOptions options) => throw new QmpException("not yet");

    /// <summary>Begins to serve the monitors.</summary>
    public ValueTask StartAsync() => ValueTask.CompletedTask;

    /// <summary>
    /// Ends exports, drains, flushes and closes all nodes, ends objects, and last the monitors, which tell their
    /// clients of all that. Idempotent.
    /// </summary>
    public async ValueTask StopAsync()
    {
        if (_isStopped)
        {
            return;
        }

        _isStopped = true;
        await _context.Exports.ClearAsync();
        await _context.Graph.CloseAllAsync();
        await _context.Objects.ClearAsync();
    }

    private sealed class CommandLineConnection : IQmpConnection
    {
        public long Id => 0;

        public CancellationToken Closed => CancellationToken.None;
    }
}
