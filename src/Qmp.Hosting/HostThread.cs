using System.Collections.Concurrent;
using Qmp.Protocol.Wire;

namespace Qmp.Hosting;

/// <summary>
/// The one thread on which all connections of a server are served and all handlers run: what a handler awaits, it goes on
/// here too. It keeps handlers free of locks. <b>Any</b>.
/// </summary>
internal sealed class HostThread : QmpScheduler, IDisposable
{
    private readonly BlockingCollection<(Action<object?> Callback, object? State)> _work = [];
    private readonly Thread _thread;

    public HostThread()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "qmp" };
        _thread.Start();
    }

    public override bool IsCurrent => Thread.CurrentThread == _thread;

    public override void Post(Action<object?> callback, object? state)
    {
        try
        {
            _work.Add((callback, state));
        }
        catch (InvalidOperationException)
        {
            // The server has ended: nobody waits for it any more.
        }
    }

    /// <summary>Ends the thread after what was posted. Idempotent.</summary>
    public void Dispose()
    {
        _work.CompleteAdding();
        if (!IsCurrent)
        {
            _thread.Join();
        }
    }

    private void Run()
    {
        SynchronizationContext.SetSynchronizationContext(new Context(this));
        foreach (var (callback, state) in _work.GetConsumingEnumerable())
        {
            callback(state);
        }
    }

    private sealed class Context(HostThread thread) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => thread.Post(new Action<object?>(d), state);

        public override SynchronizationContext CreateCopy() => this;
    }
}
