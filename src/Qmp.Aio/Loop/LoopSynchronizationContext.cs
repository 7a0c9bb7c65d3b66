namespace Qmp.Aio;

/// <summary>Makes an ordinary <c>await</c> on a loop's thread resume on that loop, by a bottom half.</summary>
internal sealed class LoopSynchronizationContext(AioContext context) : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state)
        => context.Schedule(static pair => ((Posted)pair!).Invoke(), new Posted(d, state));

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (!context.IsCurrent)
        {
            throw new NotSupportedException("Waiting for another loop would block this thread: use Post.");
        }

        d(state);
    }

    public override SynchronizationContext CreateCopy() => this;

    private sealed record Posted(SendOrPostCallback Callback, object? State)
    {
        public void Invoke() => Callback(State);
    }
}
