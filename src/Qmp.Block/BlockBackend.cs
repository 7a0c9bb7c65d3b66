using Qmp.Aio;

namespace Qmp.Block;

/// <summary>
/// One user of a node: an export, a job, a command. Holds permissions on it, counts requests in flight, and holds new
/// ones while drained. Pass-through nodes below cost nothing because everything that feeds a tree is counted here.
/// </summary>
public sealed partial class BlockBackend : IDisposable
{
    private readonly IBlockBackendClient? _client;
    private TaskCompletionSource? _idle;
    private BlockRequest? _firstHeld;
    private BlockRequest? _lastHeld;
    private bool _isDisposed;

    private BlockBackend(BlockGraph graph, BlockNode root, string name, IBlockBackendClient? client)
    {
        Graph = graph;
        Name = name;
        _client = client;
        Edge = new BlockEdge(null, this, "root", BlockChildRole.Data | BlockChildRole.Primary, root);
        Home = root.Home;
        LengthBytes = root.LengthBytes;
    }

    /// <summary>Its graph.</summary>
    public BlockGraph Graph { get; }

    /// <summary>For people: log lines.</summary>
    public string Name { get; }

    /// <summary>The node it uses. <b>Main</b>, or <b>Loop</b>.</summary>
    public BlockNode Root => Edge.Node;

    /// <summary>The loop of the node. Changes only while drained.</summary>
    public AioContext Home { get; internal set; }

    /// <summary>Length of the node in bytes. <b>Any</b>.</summary>
    public long LengthBytes { get; private set; }

    /// <summary>Whether writes are refused: the node is read-only, or the permission was not asked for. <b>Any</b>.</summary>
    public bool ReadOnly => Root.ReadOnly || (Edge.Permissions & BlockPermissions.Write) == 0;

    /// <summary>
    /// Whether a completed write may still be lost with the power until the next flush. False: every write is made
    /// durable before it completes. <b>Loop</b>, or before first use.
    /// </summary>
    public bool WriteCacheEnabled { get; set; } = true;

    /// <summary>Requests submitted and not held whose <see cref="BlockRequest.OnCompleted"/> has not returned. <b>Loop</b>; read
    /// elsewhere, it is a figure of a moment ago.</summary>
    public int InFlight { get; private set; }

    /// <summary>Whether new requests are held. <b>Loop</b>; read elsewhere, it tells of a moment ago.</summary>
    public bool IsDrained => DrainCount != 0;

    /// <summary>Counts for <c>query-blockstats</c>. <b>Any</b>.</summary>
    public BlockAccounting Stats { get; } = new();

    internal BlockEdge Edge { get; }

    /// <summary>Sections that hold it. <b>Loop</b>.</summary>
    internal int DrainCount { get; private set; }

    internal bool CanChangeContext => _client?.CanChangeContext ?? true;

    /// <summary>
    /// <b>Main</b>. Makes a user of <paramref name="node"/>. Inside a drained section of the node it begins drained.
    /// </summary>
    /// <param name="graph">The graph.</param>
    /// <param name="node">What to use.</param>
    /// <param name="name">For people.</param>
    /// <param name="permissions">What it will do.</param>
    /// <param name="shared">What others may do meanwhile.</param>
    /// <param name="client">Told about drained sections, resizes and moves; null for code that only awaits requests.</param>
    /// <exception cref="Protocol.QmpException">Permissions conflict, or the image is locked by another process.</exception>
    public static async ValueTask<BlockBackend> CreateAsync(
        BlockGraph graph,
        BlockNode node,
        string name,
        BlockPermissions permissions,
        BlockPermissions shared,
        IBlockBackendClient? client)
    {
        using var change = await graph.BeginChangeAsync();
        return await CreateAsync(change, node, name, permissions, shared, client);
    }

    /// <summary><b>Main</b>. As the other overload, inside a change of the graph.</summary>
    public static async ValueTask<BlockBackend> CreateAsync(
        GraphChange change,
        BlockNode node,
        string name,
        BlockPermissions permissions,
        BlockPermissions shared,
        IBlockBackendClient? client)
    {
        BlockBackend backend = new(change.Graph, node, name, client);
        await change.Graph.AttachBackendAsync(backend, permissions, shared);
        return backend;
    }

    /// <summary>
    /// <b>Loop</b>. Takes a request. Bounds and permissions are checked here, once. It completes through
    /// <see cref="BlockRequest.OnCompleted"/>, maybe inside this call; while drained it is held and runs afterwards.
    /// </summary>
    public void Submit(BlockRequest request)
    {
        Home.AssertCurrent();
        if (DrainCount != 0)
        {
            Hold(request);
            return;
        }

        Launch(request);
    }

    /// <summary>
    /// <b>Main</b>. Ends the use: releases permissions and locks. Nothing may be in flight; requests still held complete
    /// with <c>-ECANCELED</c>. A drained section that holds it forgets it. Prefer <see cref="CloseAsync()"/>.
    /// </summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            Graph.Forget(CloseAsync());
        }
    }

    /// <summary><b>Main</b>. As <see cref="Dispose"/>; returns when the permissions are released.</summary>
    public async ValueTask CloseAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        using var change = await Graph.BeginChangeAsync();
        await Graph.DetachBackendAsync(this);
    }

    /// <summary><b>Main</b>. As <see cref="CloseAsync()"/>, inside a change of the graph.</summary>
    public async ValueTask CloseAsync(GraphChange change)
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            await change.Graph.DetachBackendAsync(this);
        }
    }

    /// <summary><b>Loop</b>. One more section holds it.</summary>
    internal void BeginDrain()
    {
        if (DrainCount++ == 0)
        {
            _client?.DrainBegin();
        }
    }

    /// <summary><b>Loop</b>. Completes when nothing is in flight; only within a section, or it might never.</summary>
    internal Task WhenIdle()
    {
        if (InFlight == 0)
        {
            return Task.CompletedTask;
        }

        _idle ??= new TaskCompletionSource();
        return _idle.Task;
    }

    /// <summary><b>Loop</b>. A section ended; after the last one what was held runs.</summary>
    internal void EndDrain()
    {
        if (--DrainCount != 0)
        {
            return;
        }

        while (_firstHeld is { } request && DrainCount == 0)
        {
            _firstHeld = (BlockRequest?)request.NextHeld;
            request.NextHeld = null;
            Launch(request);
        }

        _client?.DrainEnd();
    }

    /// <summary><b>Loop</b>. The backend is going away: nothing may wait for it.</summary>
    internal void CancelHeld()
    {
        while (_firstHeld is { } request)
        {
            _firstHeld = (BlockRequest?)request.NextHeld;
            request.NextHeld = null;
            request.Backend = this;
            InFlight++;
            OnRequestDone(request, -Errno.ECANCELED);
        }
    }

    /// <summary><b>Loop</b>, drained.</summary>
    internal void OnResized(long length)
    {
        LengthBytes = length;
        _client?.Resized(length);
    }

    internal async ValueTask MoveAsync(AioContext from, AioContext to)
    {
        if (_client is not null)
        {
            await _client.ContextChangingAsync(from, to);
        }
    }

    /// <summary><b>Loop</b>. The last line of every request.</summary>
    internal void OnRequestDone(BlockRequest request, int result)
    {
        ref var stats = ref Stats.Kind(request.Op);
        if (result == 0)
        {
            stats.Operations++;
            stats.Bytes += request.Length;
            if (request.Op is BlockOp.Write or BlockOp.WriteZeroes && request.Offset + request.Length > Root.WriteHighestOffset)
            {
                Root.WriteHighestOffset = request.Offset + request.Length;
            }
        }
        else
        {
            stats.Failed++;
        }

        // What began before anyone measured has no beginning.
        if (Stats.MeasuresTime && request.StartNs != 0)
        {
            stats.TotalTimeNs += Home.NowNs - request.StartNs;
        }

        // First the owner, then the count: a section begins when the count is zero, and must find the owner done. The
        // request is not touched any more: its owner may have started it again.
        request.OnCompleted(result);
        if (--InFlight == 0 && _idle is { } idle)
        {
            // On the main loop, where those who wait are: not inside this completion, and not by way of another thread.
            _idle = null;
            Graph.MainContext.Schedule(static source => ((TaskCompletionSource)source!).SetResult(), idle);
        }
    }

    private void Launch(BlockRequest request)
    {
        request.Backend = this;
        InFlight++;
        request.StartNs = Stats.MeasuresTime ? Home.NowNs : 0;

        var error = Check(request);
        if (error != 0)
        {
            Stats.Kind(request.Op).Invalid++;
            OnRequestDone(request, error);
            return;
        }

        if (request.Length == 0 && request.Op != BlockOp.Flush)
        {
            OnRequestDone(request, 0);
            return;
        }

        request.EffectiveOp = request.Op;
        request.EffectiveFlags = WriteCacheEnabled ? request.Flags : request.Flags | BlockFlags.Fua;
        BlockNode.Start(request, Edge.Node, request.Offset);
    }

    /// <summary>The one place where a request's range and its right to write are checked.</summary>
    private int Check(BlockRequest request)
    {
        if (request.Op == BlockOp.Flush)
        {
            return 0;
        }

        if (request.Offset < 0 || request.Length < 0 || request.Length > LengthBytes || request.Offset > LengthBytes - request.Length)
        {
            return -Errno.EIO;
        }

        return request.Op != BlockOp.Read && ReadOnly ? -Errno.EPERM : 0;
    }

    private void Hold(BlockRequest request)
    {
        request.NextHeld = null;
        if (_firstHeld is null)
        {
            _firstHeld = request;
        }
        else
        {
            _lastHeld!.NextHeld = request;
        }

        _lastHeld = request;
    }
}
