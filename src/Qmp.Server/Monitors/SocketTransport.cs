using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Qmp.Aio;

namespace Qmp.Server.Monitors;

/// <summary>
/// A connected stream socket as a pair of pipes, pumped by a loop: what arrives is received when the other end of the
/// pipe has room, what is written is sent once per turn. Nothing here waits, so a client that does not read stops
/// only itself. <b>Loop</b>.
/// </summary>
internal sealed unsafe class SocketTransport : AioDeferred, IDuplexPipe
{
    // Received and not yet consumed: above it the socket is not read.
    private const int InputPause = 64 << 10;

    // Written and not yet sent: above it the writer has to wait.
    private const int OutputPause = 256 << 10;

    private const int SmallRead = 4 << 10;
    private const int LargeRead = 64 << 10;
    private const int ReadsPerTurn = 16;

    private readonly AioContext _context;
    private readonly int _fd;
    private readonly Pipe _input = NewPipe(InputPause);
    private readonly Pipe _output = NewPipe(OutputPause);
    private readonly AioWatch _watch;
    private readonly Action _closed;
    private readonly Action _peerGone;
    private readonly Action _onRoom;
    private readonly Action _onOutput;
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flushing;
    private ConfiguredValueTaskAwaitable<ReadResult>.ConfiguredValueTaskAwaiter _reading;
    private int _readSize = SmallRead;
    private bool _wantsInput = true;
    private bool _wantsToSend;
    private bool _isInputOver;
    private bool _isWaitingForOutput;
    private bool _isClosed;

    /// <summary>Takes over a connected socket.</summary>
    /// <param name="context">The loop.</param>
    /// <param name="fd">The socket; closed at the end.</param>
    /// <param name="peerGone">Called when the peer has closed or broken the connection, perhaps before what it sent is consumed.</param>
    /// <param name="closed">Called once, when the socket has been closed.</param>
    public SocketTransport(AioContext context, int fd, Action peerGone, Action closed)
    {
        _context = context;
        _fd = fd;
        _closed = closed;
        _peerGone = peerGone;
        _onRoom = OnRoom;
        _onOutput = () => _context.DeferUntilEndOfTurn(this);
        _ = Libc.SetNonBlocking(fd, true);
        _watch = context.Watch(fd, AioEvents.In, OnReady);
        WaitForOutput();
    }

    /// <summary>What was received.</summary>
    public PipeReader Input => _input.Reader;

    /// <summary>What is to be sent. Completing it closes the connection after the last byte.</summary>
    public PipeWriter Output => _output.Writer;

    /// <summary>Closes at once; what was not sent is lost.</summary>
    public void Abort()
    {
        EndInput();
        Close();
    }

    /// <inheritdoc/>
    protected override void OnEndOfTurn() => Send();

    private static Pipe NewPipe(int pause) => new(new PipeOptions(
        readerScheduler: PipeScheduler.Inline,
        writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: pause,
        resumeWriterThreshold: pause / 2,
        minimumSegmentSize: SmallRead,
        useSynchronizationContext: false));

    private void OnReady(AioEvents events)
    {
        if ((events & AioEvents.Out) != 0 && _wantsToSend)
        {
            _wantsToSend = false;
            Send();
        }

        if (_wantsInput && (events & ~AioEvents.Out) != 0)
        {
            Receive((events & (AioEvents.HangUp | AioEvents.Error)) != 0);
        }

        UpdateWatch();
    }

    private void Receive(bool isPeerGone)
    {
        for (var i = 0; i < ReadsPerTurn && _wantsInput; i++)
        {
            var memory = _input.Writer.GetMemory(_readSize);
            long received;
            fixed (byte* buffer = memory.Span)
            {
                received = Libc.Receive(_fd, buffer, (nuint)memory.Length, Libc.MSG_DONTWAIT);
            }

            if (received is -Errno.EAGAIN or -Errno.EINTR)
            {
                return;
            }

            if (received <= 0)
            {
                EndInput();
                if (isPeerGone || received < 0)
                {
                    _peerGone();
                }

                return;
            }

            _input.Writer.Advance((int)received);
            _readSize = received == memory.Length ? LargeRead : SmallRead;
            var isFull = received == memory.Length;

            // The other end of the pipe runs inside this call.
            _flushing = _input.Writer.FlushAsync().ConfigureAwait(false).GetAwaiter();
            if (!_flushing.IsCompleted)
            {
                _wantsInput = false;
                _flushing.UnsafeOnCompleted(_onRoom);
            }
            else if (_flushing.GetResult().IsCompleted)
            {
                EndInput();
            }

            if (!isFull)
            {
                return;
            }
        }
    }

    private void OnRoom()
    {
        var isOver = _flushing.GetResult().IsCompleted;
        if (isOver)
        {
            EndInput();
        }
        else if (!_isInputOver)
        {
            _wantsInput = true;
        }

        UpdateWatch();
    }

    private void EndInput()
    {
        _wantsInput = false;
        if (!_isInputOver)
        {
            _isInputOver = true;
            _input.Writer.Complete();
        }
    }

    private void WaitForOutput()
    {
        _reading = _output.Reader.ReadAsync().ConfigureAwait(false).GetAwaiter();
        _isWaitingForOutput = true;
        if (_reading.IsCompleted)
        {
            _context.DeferUntilEndOfTurn(this);
        }
        else
        {
            _reading.UnsafeOnCompleted(_onOutput);
        }
    }

    private void Send()
    {
        if (_isClosed || _wantsToSend)
        {
            return;
        }

        ReadResult result;
        if (_isWaitingForOutput)
        {
            _isWaitingForOutput = false;
            result = _reading.GetResult();
        }
        else if (!_output.Reader.TryRead(out result))
        {
            WaitForOutput();
            return;
        }

        var rest = result.Buffer;
        while (!rest.IsEmpty)
        {
            var span = rest.FirstSpan;
            long sent;
            fixed (byte* buffer = span)
            {
                sent = Libc.Send(_fd, buffer, (nuint)span.Length, Libc.MSG_DONTWAIT);
            }

            if (sent == -Errno.EAGAIN)
            {
                _output.Reader.AdvanceTo(rest.Start);
                _wantsToSend = true;
                UpdateWatch();
                return;
            }

            if (sent < 0 && sent != -Errno.EINTR)
            {
                EndInput();
                _peerGone();
                Close();
                return;
            }

            rest = rest.Slice(Math.Max(0, sent));
        }

        _output.Reader.AdvanceTo(rest.End);
        if (result.IsCompleted)
        {
            EndInput();
            Close();
        }
        else
        {
            WaitForOutput();
        }
    }

    private void UpdateWatch()
    {
        if (!_isClosed)
        {
            _watch.Update((_wantsInput ? AioEvents.In : AioEvents.None) | (_wantsToSend ? AioEvents.Out : AioEvents.None));
        }
    }

    private void Close()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        _watch.Dispose();
        _ = Libc.Close(_fd);
        _output.Reader.Complete();
        _closed();
    }
}
