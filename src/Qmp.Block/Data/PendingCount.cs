namespace Qmp.Block;

/// <summary>Counts what is under way, and tells when it is none. <b>Main</b>: every member, so there is no lock.</summary>
internal sealed class PendingCount
{
    private int _count;
    private TaskCompletionSource? _none;

    /// <summary>One more is under way.</summary>
    public void Add() => _count++;

    /// <summary>One has ended.</summary>
    public void Remove()
    {
        if (--_count == 0)
        {
            _none?.TrySetResult();
        }
    }

    /// <summary>Completes when nothing is under way. New ones are the caller's to keep away.</summary>
    public async ValueTask NoneAsync()
    {
        while (_count > 0)
        {
            _none ??= new TaskCompletionSource();
            await _none.Task;
            _none = null;
        }
    }
}
