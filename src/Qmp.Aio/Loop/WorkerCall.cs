namespace Qmp.Aio;

/// <summary>One <see cref="AioContext.RunOnWorkerAsync{T}(Func{object, T}, object)"/>.</summary>
internal sealed class WorkerCall<T>(AioContext context, Func<object?, T> blocking, object? state) : WorkItem
{
    private readonly TaskCompletionSource<T> _source = new();
    private T? _result;
    private Exception? _exception;

    public Task<T> Task => _source.Task;

    public override void Execute()
    {
        try
        {
            _result = blocking(state);
        }
        catch (Exception e)
        {
            _exception = e;
        }
    }

    public override void Complete() => context.Schedule(static call => ((WorkerCall<T>)call!).Finish(), this);

    private void Finish()
    {
        if (_exception is null)
        {
            _source.SetResult(_result!);
        }
        else
        {
            _source.SetException(_exception);
        }
    }
}
