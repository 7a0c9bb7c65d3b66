using Qmp.Aio;
using Qmp.Protocol;

namespace Qmp.Server.Drains;

/// <summary>
/// How long a command waits for quiescence: until a time is over, its client goes away, or the daemon is in haste.
/// <b>Main</b>.
/// </summary>
internal sealed class WaitLimit : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly uint? _timeoutMs;
    private readonly AioTimer? _timer;
    private bool _isOver;

    /// <param name="main">The main loop, whose clock counts.</param>
    /// <param name="timeoutMs">The time in milliseconds; null: no limit.</param>
    /// <param name="context">Who waits.</param>
    internal WaitLimit(AioContext main, uint? timeoutMs, QmpCommandContext context)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, context.Connection.Closed);
        _timeoutMs = timeoutMs;
        if (timeoutMs is { } limit)
        {
            _timer = main.NewTimer(() =>
            {
                _isOver = true;
                _source.Cancel();
            });
            _timer.Arm(main.NowNs + (limit * 1_000_000L));
        }
    }

    internal CancellationToken Token => _source.Token;

    /// <summary>What to tell the client after <see cref="Token"/> was cancelled.</summary>
    internal QmpException Explain() => new(
        _isOver ? $"Requests are still in flight after {_timeoutMs} ms" : "The wait for requests in flight was given up");

    public void Dispose()
    {
        _timer?.Dispose();
        _source.Dispose();
    }
}
