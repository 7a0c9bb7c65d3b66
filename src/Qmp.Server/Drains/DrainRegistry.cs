using Qmp.Aio;
using Qmp.Block;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Drains;

/// <summary>
/// The drained sections that clients hold: each has a name, belongs to a connection, and ends by command, with its
/// connection, when its time is over, or with the daemon. Everything here is <b>Main</b>.
/// </summary>
internal sealed class DrainRegistry
{
    /// <summary>Life of a section in milliseconds when the client does not say.</summary>
    internal const uint DefaultMaxDurationMs = 60_000;

    /// <summary>Most sections at a time: a client that only ever begins them is stopped here.</summary>
    internal const int MaxSections = 1024;

    private readonly BlockGraph _graph;
    private readonly IQmpEventSink _events;
    private readonly List<NamedDrain> _sections = [];

    public DrainRegistry(BlockGraph graph, IQmpEventSink events)
    {
        _graph = graph;
        _events = events;
    }

    internal AioContext Main => _graph.MainContext;

    /// <summary>The sections that stand, oldest first.</summary>
    internal IEnumerable<NamedDrain> Standing => _sections.Where(section => section.State == NamedDrainState.Standing);

    /// <summary>
    /// Waits until nothing is in flight on <paramref name="nodeNames"/> (null: on all nodes) and lets them go on.
    /// </summary>
    /// <param name="nodeNames">Names of nodes.</param>
    /// <param name="timeoutMs">Longest wait in milliseconds; null: no limit.</param>
    /// <param name="context">Who asks; the wait ends with the connection.</param>
    /// <exception cref="QmpException">A node does not exist, or the time is over.</exception>
    internal async ValueTask DrainOnceAsync(IReadOnlyList<string>? nodeNames, uint? timeoutMs, QmpCommandContext context)
    {
        DrainedSection section = await BeginAsync(Find(nodeNames), timeoutMs, context);
        await section.EndAsync();
    }

    /// <summary>Begins a section that stands by itself.</summary>
    /// <exception cref="QmpException">As <see cref="PrepareAsync"/>.</exception>
    internal async ValueTask BeginAsync(BlockDrainBegin options, QmpCommandContext context)
    {
        NamedDrain drain = await PrepareAsync(
            options, context.Connection, nodes => BeginAsync(nodes, options.TimeoutMs, context));
        drain.Commit();
    }

    /// <summary>
    /// First half of beginning a section: takes the name, stops the nodes and waits. The section stands after
    /// <see cref="NamedDrain.Commit"/>; <see cref="NamedDrain.Abort"/> gives the name back.
    /// </summary>
    /// <param name="options">What the client asked for.</param>
    /// <param name="owner">To whom it belongs.</param>
    /// <param name="begin">Stops these nodes (null: all) and waits.</param>
    /// <exception cref="QmpException">The name is not free, a node does not exist, or the time is over; nothing is held then.</exception>
    internal async ValueTask<NamedDrain> PrepareAsync(
        BlockDrainBegin options, IQmpConnection owner, Func<IReadOnlyList<BlockNode>?, ValueTask<DrainedSection>> begin)
    {
        if (!Identifiers.IsWellFormed(options.Id))
        {
            throw new QmpException("Parameter 'id' expects an identifier");
        }

        if (options.MaxDurationMs == 0)
        {
            throw new QmpException("Parameter 'max-duration-ms' expects a value of at least 1");
        }

        if (_sections.Any(section => section.Id == options.Id))
        {
            throw new QmpException($"Drained section '{options.Id}' already exists");
        }

        if (_sections.Count >= MaxSections)
        {
            throw new QmpException($"There are {MaxSections} drained sections already");
        }

        IReadOnlyList<BlockNode>? nodes = Find(options.Nodes);
        NamedDrain drain = new(this, options.Id, nodes, owner, options.MaxDurationMs ?? DefaultMaxDurationMs);
        _sections.Add(drain);
        try
        {
            drain.Attach(await begin(nodes));
            return drain;
        }
        catch
        {
            _sections.Remove(drain);
            throw;
        }
    }

    /// <summary>Ends a section at the wish of its owner.</summary>
    /// <exception cref="QmpException">There is no such section, or it belongs to somebody else.</exception>
    internal async ValueTask EndAsync(string id, IQmpConnection owner)
    {
        NamedDrain drain = Standing.FirstOrDefault(section => section.Id == id)
            ?? throw new QmpException($"Drained section '{id}' not found");
        if (drain.Owner.Id != owner.Id)
        {
            throw new QmpException($"Drained section '{id}' belongs to another connection");
        }

        await drain.EndAsync(BlockDrainEndReason.Requested);
    }

    /// <summary>Ends all sections, so that what they hold can finish before the daemon does.</summary>
    internal async ValueTask ShutdownAsync()
    {
        foreach (NamedDrain drain in Standing.ToArray())
        {
            await drain.EndAsync(BlockDrainEndReason.Shutdown);
        }
    }

    /// <summary>The nodes of these names; null, for all, when there are no names.</summary>
    /// <exception cref="QmpException">A node does not exist.</exception>
    private IReadOnlyList<BlockNode>? Find(IReadOnlyList<string>? nodeNames)
    {
        if (nodeNames is null)
        {
            return null;
        }

        if (nodeNames.Count == 0)
        {
            // An empty list is the mistake of a script that believes it has stopped something.
            throw new QmpException("Parameter 'nodes' expects at least one node");
        }

        return [.. nodeNames.Distinct().Select(_graph.Find)];
    }

    /// <summary>Names of those of the nodes that still exist; of all that exist now, if there are no nodes.</summary>
    internal IReadOnlyList<string> NamesOf(IReadOnlyList<BlockNode>? nodes) =>
        [.. (nodes ?? _graph.Nodes).Where(node => _graph.TryFind(node.NodeName) == node).Select(node => node.NodeName)];

    internal void Forget(NamedDrain drain) => _sections.Remove(drain);

    internal void Emit(QmpEvent qmpEvent) => _events.Emit(qmpEvent);

    /// <summary>Begins an anonymous section and gives up when the time is over or the client goes away.</summary>
    private async ValueTask<DrainedSection> BeginAsync(IReadOnlyList<BlockNode>? nodes, uint? timeoutMs, QmpCommandContext context)
    {
        using WaitLimit limit = new(Main, timeoutMs, context);
        try
        {
            return await _graph.DrainAsync(nodes, limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw limit.Explain();
        }
    }
}
