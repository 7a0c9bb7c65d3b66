using System.Threading.Tasks.Sources;

namespace Qmp.Aio;

/// <summary>
/// A request to await, for code off the data path: submit it, then <c>await request.Completion</c>. The continuation
/// runs on the loop, inside the completion, whatever synchronization context it had. One await per submission.
/// </summary>
public sealed class AwaitableAioRequest : AioRequest, IValueTaskSource<int>
{
    private static readonly Action<object?> Done = static _ => { };

    private Action<object?>? _continuation;
    private object? _state;
    private int _result;
    private short _token;

    /// <summary>Completes with the bytes transferred, or the negative error number.</summary>
    public ValueTask<int> Completion => new(this, _token);

    /// <inheritdoc/>
    int IValueTaskSource<int>.GetResult(short token)
    {
        Check(token);
        if (!ReferenceEquals(_continuation, Done))
        {
            throw new InvalidOperationException("The request has not completed.");
        }

        _continuation = null;
        _token++;
        return _result;
    }

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token)
    {
        Check(token);
        return ReferenceEquals(_continuation, Done) ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;
    }

    /// <inheritdoc/>
    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        _state = state;
        _continuation = continuation;
    }

    /// <inheritdoc/>
    protected internal override void OnCompleted(int result)
    {
        _result = result;
        var continuation = _continuation;
        var state = _state;
        _continuation = Done;
        _state = null;
        continuation?.Invoke(state);
    }

    private void Check(short token)
    {
        if (token != _token)
        {
            throw new InvalidOperationException("The result of this request was taken already.");
        }
    }
}
