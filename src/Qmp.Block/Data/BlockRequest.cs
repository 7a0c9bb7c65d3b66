namespace Qmp.Block;

/// <summary>
/// A request of a feeder (a virtqueue's slot, a client's command): fill in the fields of <see cref="BlockOperation"/>,
/// hand it to <see cref="BlockBackend.Submit"/>, be told by <see cref="OnCompleted"/>, use it again. Nothing is allocated.
/// </summary>
public abstract class BlockRequest : BlockOperation
{
    /// <summary>The backend it was submitted to.</summary>
    internal BlockBackend? Backend;

    /// <summary>When it was started, if latencies are measured.</summary>
    internal long StartNs;

    /// <summary>
    /// <b>Loop</b> (home of the backend). The request is over: 0 or a negative error number. May be called inside
    /// <see cref="BlockBackend.Submit"/> (null-co, failed checks, an ignored discard). The request may be submitted again.
    /// </summary>
    protected internal new abstract void OnCompleted(int result);

    internal sealed override void Finish(int result) => Backend!.OnRequestDone(this, result);
}
