using System.Collections.Concurrent;
using Qmp.Protocol.Wire;

namespace Qmp.Protocol.Tests.Wire;

/// <summary>A loop of one thread, as the daemon's main loop is: posted callbacks in order, awaits resume on it.</summary>
internal sealed class TestScheduler : QmpScheduler, IDisposable
{
    private readonly BlockingCollection<(Action<object?> Callback, object? State)> _queue = [];
    private readonly Thread _thread;

    public TestScheduler()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "test loop" };
        _thread.Start();
    }

    public override bool IsCurrent => Thread.CurrentThread == _thread;

    public ConcurrentQueue<Exception> Faults { get; } = [];

    public override void Post(Action<object?> callback, object? state)
    {
        try
        {
            _queue.Add((callback, state));
        }
        catch (InvalidOperationException)
        {
            // A pipe that ends after the test, as a loop that has stopped: what is scheduled never runs.
        }
    }

    public Task RunAsync(Action action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(
            _ =>
            {
                action();
                done.SetResult();
            },
            null);
        return done.Task.WaitAsync(WireServer.Patience);
    }

    public void Dispose()
    {
        _queue.CompleteAdding();
        _thread.Join(WireServer.Patience);
    }

    private void Run()
    {
        SynchronizationContext.SetSynchronizationContext(new Context(this));
        foreach (var (callback, state) in _queue.GetConsumingEnumerable())
        {
            try
            {
                callback(state);
            }
            catch (Exception e)
            {
                Faults.Enqueue(e);
            }
        }
    }

    private sealed class Context(TestScheduler scheduler) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => scheduler.Post(s => d(s), state);
    }
}
