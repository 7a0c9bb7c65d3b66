using System.Buffers;
using System.IO.Pipelines;

namespace Qmp.Server.Chardevs;

/// <summary>A connection whose other end is in this process: it takes what is sent, and may send something itself. <b>Main</b>.</summary>
/// <param name="sink">Takes what is sent; completes when there is room for more.</param>
internal sealed class LocalConnection(Func<ReadOnlySequence<byte>, ValueTask> sink) : ChardevConnection
{
    private readonly Pipe _input = LoopPipe.New(64 << 10);
    private readonly Pipe _output = LoopPipe.New(256 << 10);
    private readonly TaskCompletionSource _begun = new();
    private bool _hasInput;
    private bool _isInputOver;

    /// <inheritdoc/>
    public override PipeReader Input => _input.Reader;

    /// <inheritdoc/>
    public override PipeWriter Output => _output.Writer;

    /// <summary>Completes when somebody reads what the other end sends, or nobody will.</summary>
    public Task ReadingBegun => _begun.Task;

    /// <inheritdoc/>
    public override void BeginReading() => _begun.TrySetResult();

    /// <inheritdoc/>
    public override void Abort()
    {
        EndInput();
        _output.Reader.CancelPendingRead();
    }

    /// <summary>The other end sends a byte, which arrives with the next <see cref="FlushInputAsync"/>.</summary>
    public void Take(byte b)
    {
        if (!_isInputOver)
        {
            _input.Writer.Write([b]);
            _hasInput = true;
        }
    }

    /// <summary>Lets what was sent arrive; completes when there is room for more.</summary>
    public async ValueTask FlushInputAsync()
    {
        if (_hasInput && !_isInputOver)
        {
            _hasInput = false;
            await _input.Writer.FlushAsync();
        }
    }

    /// <summary>The other end sends no more.</summary>
    public void EndInput()
    {
        if (!_isInputOver)
        {
            _isInputOver = true;
            _input.Writer.Complete();
            BeginReading();
        }
    }

    /// <inheritdoc/>
    protected override void OnStart() => _ = PumpAsync();

    private async Task PumpAsync()
    {
        ReadResult read;
        do
        {
            read = await _output.Reader.ReadAsync();
            await sink(read.Buffer);
            _output.Reader.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted && !read.IsCanceled);

        EndInput();
        await _output.Reader.CompleteAsync();
        TellClosed();
    }
}
