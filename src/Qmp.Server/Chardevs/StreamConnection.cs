using System.IO.Pipelines;
using Qmp.Aio;

namespace Qmp.Server.Chardevs;

/// <summary>
/// A connection over descriptors that are no sockets: files, pipes, terminals. It is for people and logs, not for
/// speed: reads follow the news that there is something, and what may block is left to workers. <b>Main</b>.
/// </summary>
/// <param name="main">The main loop.</param>
/// <param name="input">Where from; -1 for nothing ever.</param>
/// <param name="output">Where to: another descriptor than <paramref name="input"/>.</param>
/// <param name="endsWithInput">Whether the peer is gone when the input ends, as at a terminal that was closed.</param>
internal sealed class StreamConnection(AioContext main, int input, int output, bool endsWithInput) : ChardevConnection
{
    private const int InputPause = 64 << 10;
    private const int OutputPause = 256 << 10;
    private const int ReadBytes = 4 << 10;

    private readonly Pipe _input = LoopPipe.New(InputPause);
    private readonly Pipe _output = LoopPipe.New(OutputPause);
    private readonly List<TaskCompletionSource> _waits = [];
    private bool _isAborted;
    private int _pumps = 2;

    /// <inheritdoc/>
    public override PipeReader Input => _input.Reader;

    /// <inheritdoc/>
    public override PipeWriter Output => _output.Writer;

    /// <inheritdoc/>
    public override void Abort()
    {
        _isAborted = true;
        _output.Reader.CancelPendingRead();
        foreach (var wait in _waits)
        {
            wait.TrySetResult();
        }
    }

    /// <inheritdoc/>
    protected override void OnStart()
    {
        _ = PumpOutputAsync();
        _ = PumpInputAsync();
    }

    private async Task PumpInputAsync()
    {
        // Whoever takes the connection is not ready before this turn is over.
        await main.Yield();
        var isRegular = input >= 0 && Libc.Fstat(input, out var status) == 0 && status.IsRegular;
        while (!_isAborted)
        {
            // What is always ready, such as /dev/null, cannot be watched.
            if (!isRegular && (input < 0 || Libc.PollNow(input, AioEvents.In) == AioEvents.None))
            {
                await WaitAsync(input, AioEvents.In);
                if (_isAborted)
                {
                    break;
                }
            }

            var memory = _input.Writer.GetMemory(ReadBytes);
            var count = isRegular ? await main.RunOnWorkerAsync(() => Libc.Read(input, memory.Span)) : Libc.Read(input, memory.Span);
            if (count is -Errno.EAGAIN or -Errno.EINTR)
            {
                continue;
            }

            if (count <= 0)
            {
                break;
            }

            _input.Writer.Advance((int)count);
            if ((await _input.Writer.FlushAsync()).IsCompleted)
            {
                break;
            }
        }

        await _input.Writer.CompleteAsync();
        if (endsWithInput)
        {
            TellPeerGone();
            Abort();
        }

        PumpEnded();
    }

    private async Task PumpOutputAsync()
    {
        var isOver = false;
        while (!isOver && !_isAborted)
        {
            var read = await _output.Reader.ReadAsync();
            var rest = read.Buffer;
            while (!rest.IsEmpty && !_isAborted)
            {
                var memory = rest.First;
                var count = await main.RunOnWorkerAsync(() => Libc.Write(output, memory.Span));
                if (count == -Errno.EAGAIN)
                {
                    await WaitAsync(output, AioEvents.Out);
                }
                else if (count < 0 && count != -Errno.EINTR)
                {
                    TellPeerGone();
                    isOver = true;
                    break;
                }

                rest = rest.Slice(Math.Max(0, count));
            }

            _output.Reader.AdvanceTo(read.Buffer.End);
            isOver |= read.IsCompleted || read.IsCanceled;
        }

        await _output.Reader.CompleteAsync();
        Abort();
        PumpEnded();
    }

    // The descriptors belong to somebody else: they may be closed when neither direction uses them any more.
    private void PumpEnded()
    {
        if (--_pumps == 0)
        {
            TellClosed();
        }
    }

    private async Task WaitAsync(int fd, AioEvents events)
    {
        // Completed later, on this loop: whoever completes it may stand in the middle of something.
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waits.Add(ready);
        using (fd < 0 ? null : main.Watch(fd, events, _ => ready.TrySetResult()))
        {
            await ready.Task;
        }

        _waits.Remove(ready);
    }
}
