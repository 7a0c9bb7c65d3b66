using Qmp.Aio;
using Qmp.Block;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Chardevs;
using Qmp.Server.Descriptors;
using Qmp.Server.Drains;
using Qmp.Server.Exports;
using Qmp.Server.Objects;

namespace Qmp.Server;

/// <summary>
/// The parts of one daemon, composed once: what command handlers, monitors and the command line share. <b>Main</b>
/// unless said otherwise.
/// </summary>
public sealed class ServerContext
{
    private readonly TaskCompletionSource _stopRequested = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Composes a daemon without nodes, objects or exports.</summary>
    /// <param name="options">How it is set up.</param>
    public ServerContext(ServerOptions options)
    {
        Options = options;
        Main = options.Main;
        Events = options.Events;
        Graph = new BlockGraph(options.Main)
        {
            WriteThresholdExceeded = (node, amount, threshold) =>
                Events.Emit(QmpEvents.BlockWriteThreshold(node.NodeName, amount, threshold)),
            PassedFiles = DescriptorSets,
        };
        Exports = new ExportRegistry(this);
        Drains = new DrainRegistry(Graph, Events);
        Chardevs = new ChardevRegistry(this);
    }

    /// <summary>How it was set up. <b>Any</b>.</summary>
    public ServerOptions Options { get; }

    /// <summary>The main loop: all commands run there. <b>Any</b>.</summary>
    public AioContext Main { get; }

    /// <summary>Where events go. <b>Any</b>.</summary>
    public IQmpEventSink Events { get; }

    /// <summary>Completed when somebody asked for the end: <c>quit</c>, or a signal. <b>Any</b>.</summary>
    public Task StopRequested => _stopRequested.Task;

    /// <summary>All block nodes.</summary>
    public BlockGraph Graph { get; }

    internal ExportRegistry Exports { get; }

    internal DrainRegistry Drains { get; }

    internal ChardevRegistry Chardevs { get; }

    internal ObjectTree Objects { get; } = new();

    internal DescriptorSets DescriptorSets { get; } = new();

    /// <summary>Asks for an orderly end. <b>Any</b>; idempotent.</summary>
    public void RequestStop() => _stopRequested.TrySetResult();

    /// <summary>One line for the operator. <b>Any</b>.</summary>
    /// <param name="line">The line, without the program's name.</param>
    public void Log(string line) => Options.Log(line);

    internal ValueTask<IoThreadObject> CreateIoThreadAsync(string id, IothreadProperties properties) =>
        IoThreadObject.CreateAsync(id, Main, Options.Engine, Log, IsInUse, iothread =>
        {
            iothread.Set("poll-max-ns", properties.PollMaxNs);
            iothread.Set("poll-grow", properties.PollGrow);
            iothread.Set("poll-shrink", properties.PollShrink);
            iothread.Set("poll-weight", properties.PollWeight);
            iothread.Set("aio-max-batch", properties.AioMaxBatch);
            iothread.SetThreadPool(properties.ThreadPoolMin, properties.ThreadPoolMax);
        });

    private bool IsInUse(AioContext context) => Graph.Nodes.Any(node => node.Home == context);
}
