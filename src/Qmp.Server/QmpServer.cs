using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;
using Qmp.Server.Chardevs;
using Qmp.Server.Commands;
using Qmp.Server.Descriptors;
using Qmp.Server.Monitors;
using Qmp.Server.Sockets;

namespace Qmp.Server;

/// <summary>
/// A storage daemon without its command line: all parts, composed. <b>Main</b> unless said otherwise.
/// </summary>
public sealed class QmpServer
{
    // How long the last replies may take to leave: a client that does not read does not hold up the end.
    private static readonly TimeSpan GoodbyeTime = TimeSpan.FromSeconds(1);

    private readonly ServerContext _context;
    private readonly QmpCommandTable _commands;
    private readonly QmpCommandContext _commandLine;
    private bool _isStopped;

    /// <summary>Composes a server that has no monitors, nodes, objects or exports yet.</summary>
    /// <param name="options">How it is set up.</param>
    public QmpServer(ServerOptions options)
    {
        var events = new QmpEventBus(options.Main);
        _context = new ServerContext(options with { Events = events });
        _commands = new QmpCommandTable(
            new BlockCoreCommands(_context),
            new BlockExportCommands(_context),
            new CharCommands(_context.Chardevs),
            new ControlCommands(() => _commands!, _context.RequestStop),
            new IntrospectCommands(QmpIntrospection.Instance),
            new QomCommands(_context, () => Monitors!),
            new MiscCommands(_context),
            new DataplaneCommands(_context),
            new TransactionCommands(_context));
        _commandLine = new QmpCommandContext(new CommandLineConnection(), events);
        var services = new MonitorServices(options.Main, _commands, events, _context.Log);
        Monitors = new MonitorRegistry(_context.Objects, _context.Chardevs, services);
    }

    /// <summary>Completed when somebody asked for the end: <c>quit</c>, or a signal. <b>Any</b>.</summary>
    public Task StopRequested => _context.StopRequested;

    internal MonitorRegistry Monitors { get; }

    internal ServerContext Context => _context;

    /// <summary>Asks for an orderly end. <b>Any</b>; idempotent.</summary>
    public void RequestStop() => _context.RequestStop();

    /// <summary>Runs a command on behalf of the command line.</summary>
    /// <param name="command">Its name.</param>
    /// <param name="arguments">Its arguments, an object.</param>
    /// <exception cref="QmpException">It failed.</exception>
    public async ValueTask ExecuteAsync(string command, QapiDocument arguments)
    {
        var found = _commands.Commands.First(c => c.Name == command);
        await found.InvokeAsync(arguments, _commandLine);
    }

    /// <summary>Makes a character device; with <c>wait=on</c> completes when its first client has come.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="backend">What it is.</param>
    /// <returns>Path of the pseudo terminal, for one; null for others.</returns>
    /// <exception cref="QmpException">It cannot be made.</exception>
    public async ValueTask<string?> AddChardevAsync(string id, ChardevBackend backend) =>
        _context.Chardevs.IsTaken(id)
            ? throw new QmpException($"attempt to add duplicate property '{id}' to object (type 'container')")
            : (await _context.Chardevs.AddAsync(id, backend, InheritedDescriptors.Instance) as PtyChardev)?.Terminal;

    /// <summary>Makes a monitor. It serves when the host runs.</summary>
    /// <param name="options">Its options.</param>
    /// <exception cref="QmpException">It cannot be made.</exception>
    public void AddMonitor(MonitorOptions options) => Monitors.Add(options);

    /// <summary>
    /// Ends exports, drained sections and nodes, flushing what was written, and then objects. Monitors still answer and
    /// send the events of all that. Idempotent.
    /// </summary>
    public async ValueTask StopAsync()
    {
        if (_isStopped)
        {
            return;
        }

        _isStopped = true;
        await _context.Drains.ShutdownAsync();
        await _context.Exports.ClearAsync();
        await _context.Graph.CloseAllAsync();
        await _context.Objects.ClearAsync();
    }

    /// <summary>Ends monitors and sockets, after the host's services: the last replies leave first. Idempotent.</summary>
    public async ValueTask CloseMonitorsAsync()
    {
        Monitors.Stop();
        var deadline = _context.Main.NowNs + ((long)GoodbyeTime.TotalMilliseconds * 1_000_000);
        while (Monitors.HaveConnections && _context.Main.NowNs < deadline)
        {
            await _context.Main.DelayAsync(TimeSpan.FromMilliseconds(2));
        }

        Monitors.Abort();
        await _context.Chardevs.ClearAsync();
        _context.DescriptorSets.Dispose();
    }

    /// <summary>Removes the names of all sockets of the process, for an end in haste. <b>Any</b>; throws nothing.</summary>
    public static void RemoveSockets() => OwnedPath.RemoveAll();

    private sealed class CommandLineConnection : IQmpConnection
    {
        public long Id => 0;

        public CancellationToken Closed => CancellationToken.None;
    }
}
