namespace Qmp.Block;

/// <summary>Lets one in at a time, in the order of arrival. <b>Main</b>: every member, so there is no lock.</summary>
internal sealed class AsyncGate
{
    private readonly Queue<TaskCompletionSource> _waiters = new();
    private bool _isTaken;

    /// <summary>Completes when the caller is in.</summary>
    public async ValueTask EnterAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_isTaken)
        {
            _isTaken = true;
            return;
        }

        TaskCompletionSource waiter = new();
        _waiters.Enqueue(waiter);
        using (cancellationToken.Register(static state => ((TaskCompletionSource)state!).TrySetCanceled(), waiter))
        {
            await waiter.Task;
        }
    }

    /// <summary>The caller leaves; the next one comes in.</summary>
    public void Leave()
    {
        while (_waiters.TryDequeue(out var waiter))
        {
            if (waiter.TrySetResult())
            {
                return;
            }
        }

        _isTaken = false;
    }
}

/// <summary>The right to change the graph: held by one piece of code at a time. Dispose to give it up. <b>Main</b>.</summary>
public sealed class GraphChange : IDisposable
{
    private AsyncGate? _gate;

    internal GraphChange(BlockGraph graph, AsyncGate gate)
    {
        Graph = graph;
        _gate = gate;
    }

    /// <summary>The graph.</summary>
    public BlockGraph Graph { get; }

    /// <summary>Gives the right up.</summary>
    public void Dispose()
    {
        var gate = _gate;
        _gate = null;
        gate?.Leave();
    }
}
