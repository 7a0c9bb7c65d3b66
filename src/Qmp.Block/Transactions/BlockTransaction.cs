using Qmp.Protocol;

namespace Qmp.Block;

/// <summary>Several changes as one: all of them happen, or none.</summary>
public static class BlockTransaction
{
    /// <summary>
    /// Runs the actions. The nodes concerned are drained before the first and released after the last. <b>Main</b>.
    /// </summary>
    /// <param name="graph">The graph.</param>
    /// <param name="actions">In order; none is fine.</param>
    /// <param name="grouped">Whether jobs that actions start succeed or fail together.</param>
    /// <param name="cancellationToken">Gives up the wait for nodes to come to rest; no effect after it.</param>
    /// <exception cref="OperationCanceledException">The wait was given up; nothing changed.</exception>
    /// <exception cref="QmpException">An action failed, or does not know <paramref name="grouped"/>; nothing remains.</exception>
    public static async ValueTask RunAsync(
        BlockGraph graph, IReadOnlyList<TransactionAction> actions, bool grouped = false, CancellationToken cancellationToken = default)
    {
        if (grouped && actions.FirstOrDefault(static action => !action.SupportsGrouped) is { } other)
        {
            throw new QmpException($"Action '{other.Name}' does not support transaction property completion-mode = grouped");
        }

        using var change = await graph.BeginChangeAsync(cancellationToken);
        BlockNode[] nodes = [.. actions.SelectMany(static action => action.NodeNames).Select(graph.TryFind).OfType<BlockNode>().Distinct()];
        var section = nodes.Length == 0 ? null : await graph.DrainAsync(change, nodes, cancellationToken);
        try
        {
            await RunDrainedAsync(change, actions);
        }
        finally
        {
            if (section is not null)
            {
                await section.EndAsync(change);
            }
        }
    }

    private static async ValueTask RunDrainedAsync(GraphChange change, IReadOnlyList<TransactionAction> actions)
    {
        var prepared = 0;
        try
        {
            foreach (var action in actions)
            {
                await action.PrepareAsync(change);
                prepared++;
            }
        }
        catch
        {
            for (var i = prepared - 1; i >= 0; i--)
            {
                await actions[i].AbortAsync(change);
            }

            await CleanAsync(change, actions.Take(prepared));
            throw;
        }

        foreach (var action in actions)
        {
            await action.CommitAsync(change);
        }

        await CleanAsync(change, actions);
    }

    private static async ValueTask CleanAsync(GraphChange change, IEnumerable<TransactionAction> actions)
    {
        foreach (var action in actions)
        {
            await action.CleanAsync(change);
        }
    }
}
