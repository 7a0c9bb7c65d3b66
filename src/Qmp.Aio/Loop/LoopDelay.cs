namespace Qmp.Aio;

/// <summary>One <see cref="AioContext.DelayAsync"/>.</summary>
internal sealed class LoopDelay
{
    private readonly TaskCompletionSource _source = new();
    private readonly AioTimer _timer;
    private readonly CancellationTokenRegistration _registration;

    public LoopDelay(AioContext context, TimeSpan delay, CancellationToken cancellationToken)
    {
        _timer = context.NewTimer(OnTimer);
        if (cancellationToken.IsCancellationRequested)
        {
            _source.SetCanceled(cancellationToken);
            return;
        }

        _timer.Arm(context.NowNs + (delay.Ticks * 100));
        _registration = cancellationToken.UnsafeRegister(
            (state, token) => context.Schedule(_ => ((LoopDelay)state!).OnCancelled(token)), this);
    }

    public Task Task => _source.Task;

    private void OnTimer()
    {
        _registration.Dispose();
        _source.TrySetResult();
    }

    private void OnCancelled(CancellationToken token)
    {
        _timer.Cancel();
        _source.TrySetCanceled(token);
    }
}
