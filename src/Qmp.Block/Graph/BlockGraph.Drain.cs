namespace Qmp.Block;

// Drained sections, and the feeders that they hold.
public sealed partial class BlockGraph
{
    private readonly List<DrainedSection> _sections = [];

    /// <summary>The sections that are on.</summary>
    public IReadOnlyList<DrainedSection> Sections => _sections;

    /// <summary>
    /// Begins a drained section and waits until nothing is in flight. End it with
    /// <see cref="DrainedSection.EndAsync()"/>.
    /// </summary>
    /// <param name="nodes">What must come to rest; null: all, those to come included.</param>
    /// <param name="cancellationToken">Gives up: what was held runs, and <see cref="OperationCanceledException"/> is thrown.</param>
    public async ValueTask<DrainedSection> DrainAsync(IReadOnlyList<BlockNode>? nodes, CancellationToken cancellationToken = default)
    {
        DrainedSection section;
        Task idle;
        using (await BeginChangeAsync(cancellationToken))
        {
            (section, idle) = await BeginSectionAsync(nodes);
        }

        try
        {
            await idle.WaitAsync(cancellationToken);
        }
        catch
        {
            await section.EndAsync();
            throw;
        }

        return section;
    }

    /// <summary>As the other overload, for code that holds the right to change the graph; end it with that right, too.</summary>
    public async ValueTask<DrainedSection> DrainAsync(
        GraphChange change, IReadOnlyList<BlockNode>? nodes, CancellationToken cancellationToken = default)
    {
        var (section, idle) = await BeginSectionAsync(nodes);
        try
        {
            await idle.WaitAsync(cancellationToken);
        }
        catch
        {
            await section.EndAsync(change);
            throw;
        }

        return section;
    }

    internal void RemoveSection(DrainedSection section) => _sections.Remove(section);

    internal async ValueTask AttachBackendAsync(BlockBackend backend, BlockPermissions permissions, BlockPermissions shared)
    {
        var root = backend.Root;
        backend.Edge.Permissions = permissions;
        backend.Edge.Shared = shared;
        root.ParentEdges.Add(backend.Edge);
        try
        {
            await RefreshPermissionsAsync([root]);
        }
        catch
        {
            root.ParentEdges.Remove(backend.Edge);
            throw;
        }

        _backends.Add(backend);
        foreach (var section in _sections)
        {
            if (section.Covers(root))
            {
                await section.AdoptAsync(backend);
            }
        }
    }

    internal async ValueTask DetachBackendAsync(BlockBackend backend)
    {
        await backend.Home.Enter();
        backend.BeginDrain();
        var idle = backend.WhenIdle();
        await MainContext.Enter();
        await idle;
        await backend.Home.Enter();
        backend.CancelHeld();
        await MainContext.Enter();

        foreach (var section in _sections)
        {
            section.Forget(backend);
        }

        var root = backend.Root;
        _backends.Remove(backend);
        root.ParentEdges.Remove(backend.Edge);
        await RefreshPermissionsAsync([root]);
        await CloseUnusedAsync(root);
    }

    private async ValueTask<(DrainedSection Section, Task Idle)> BeginSectionAsync(IReadOnlyList<BlockNode>? nodes)
    {
        DrainedSection section = new(this, nodes);
        _sections.Add(section);
        var idle = await section.BeginAsync();
        return (section, idle);
    }
}
