namespace Qmp.Aio;

/// <summary>A loop with a thread of its own.</summary>
public sealed class IoThread : IDisposable
{
    private readonly Thread _thread;
    private bool _isDisposed;

    /// <summary>
    /// Starts the thread; its loop takes bottom halves at once. Throws as <see cref="AioEngine.Create(AioEngineKind, Action{string}?)"/>.
    /// </summary>
    /// <param name="name">Name of the loop and of the thread.</param>
    /// <param name="kind">Engine.</param>
    /// <param name="log">For the line that says which engine was chosen, if not the best one.</param>
    public IoThread(string name, AioEngineKind kind = AioEngineKind.Auto, Action<string>? log = null)
    {
        Context = new AioContext(name, AioEngine.Create(kind, log));
        _thread = new Thread(() => Context.Run()) { IsBackground = true, Name = name };
        _thread.UnsafeStart();
    }

    /// <summary>Its loop.</summary>
    public AioContext Context { get; }

    /// <summary>
    /// Stops the loop after what is in flight, joins the thread (blocking: not on a loop that it waits for) and closes
    /// the engine. <b>Any</b>, except on the thread itself.
    /// </summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        Context.Stop();
        _thread.Join();
        Context.Dispose();
    }
}
