using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Qmp.Aio;
using Qmp.Protocol.Wire;
using Qmp.Server.Descriptors;

namespace Qmp.Server.Chardevs;

/// <summary>
/// A connected stream socket as a pair of pipes, pumped by a loop: what arrives is received when the other end of the
/// pipe has room, what is written is sent once per turn. Nothing here waits, so a client that does not read stops
/// only itself. <b>Loop</b>.
/// </summary>
internal sealed unsafe class SocketConnection : ChardevConnection
{
    // Received and not yet consumed: above it the socket is not read.
    private const int InputPause = 64 << 10;

    // Written and not yet sent: above it the writer has to wait.
    private const int OutputPause = 256 << 10;

    private const int SmallRead = 4 << 10;
    private const int LargeRead = 64 << 10;
    private const int ReadsPerTurn = 16;

    private readonly AioContext _context;
    private readonly EndOfTurn _endOfTurn;
    private readonly int _fd;
    private readonly Pipe _input = LoopPipe.New(InputPause);
    private readonly Pipe _output = LoopPipe.New(OutputPause);
    private readonly Action _onRoom;
    private readonly Action _onOutput;
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flushing;
    private ConfiguredValueTaskAwaitable<ReadResult>.ConfiguredValueTaskAwaiter _reading;
    private AioWatch? _watch;
    private DescriptorReceiver? _descriptors;
    private int _readSize = SmallRead;
    private bool _isInputFull;
    private bool _wantsToSend;
    private bool _isInputOver;
    private bool _isWaitingForOutput;
    private bool _isClosed;

    /// <summary>Takes over a connected socket.</summary>
    /// <param name="context">The loop.</param>
    /// <param name="fd">The socket; closed at the end.</param>
    public SocketConnection(AioContext context, int fd)
    {
        _context = context;
        _fd = fd;
        _endOfTurn = new EndOfTurn(this);
        _onRoom = OnRoom;
        _onOutput = () => _context.DeferUntilEndOfTurn(_endOfTurn);
        _ = Libc.SetNonBlocking(fd, true);
        Peer = Libc.TryGetPeer(fd, out var peer) ? peer : null;
    }

    /// <inheritdoc/>
    public override PipeReader Input => _input.Reader;

    /// <inheritdoc/>
    public override PipeWriter Output => _output.Writer;

    private bool WantsInput => !_isInputOver && !_isInputFull && _descriptors is not { IsFull: true };

    /// <inheritdoc/>
    public override IQmpDescriptorSource? AcceptDescriptors()
    {
        if (Peer is null)
        {
            return null;
        }

        // A listener that was passed in may ask for credentials, which would look like descriptors.
        _ = Libc.SetSocketOption(_fd, Libc.SOL_SOCKET, Libc.SO_PASSCRED, 0);
        _ = Libc.SetSocketOption(_fd, Libc.SOL_SOCKET, Libc.SO_PASSSEC, 0);
        return _descriptors ??= new DescriptorReceiver(UpdateWatch);
    }

    /// <inheritdoc/>
    public override void Abort()
    {
        EndInput();
        Close();
    }

    /// <inheritdoc/>
    protected override void OnStart()
    {
        _watch = _context.Watch(_fd, AioEvents.In, OnReady);
        WaitForOutput();
    }

    private void OnReady(AioEvents events)
    {
        if ((events & AioEvents.Out) != 0 && _wantsToSend)
        {
            _wantsToSend = false;
            Send();
        }

        if (WantsInput && (events & ~AioEvents.Out) != 0)
        {
            Receive((events & (AioEvents.HangUp | AioEvents.Error)) != 0);
        }

        UpdateWatch();
    }

    private void Receive(bool isPeerGone)
    {
        for (var i = 0; i < ReadsPerTurn && WantsInput; i++)
        {
            // What is left of a block is enough for little: bytes one by one must not take a block each.
            var memory = _input.Writer.GetMemory(_readSize == SmallRead ? 0 : _readSize);
            var received = Receive(memory.Span);

            if (received is -Errno.EAGAIN or -Errno.EINTR)
            {
                return;
            }

            if (received <= 0)
            {
                EndInput();
                if (isPeerGone || received < 0)
                {
                    TellPeerGone();
                }

                return;
            }

            _input.Writer.Advance((int)received);
            _readSize = received >= SmallRead ? LargeRead : SmallRead;
            var isFull = received == memory.Length;

            // The other end of the pipe runs inside this call.
            _flushing = _input.Writer.FlushAsync().ConfigureAwait(false).GetAwaiter();
            if (!_flushing.IsCompleted)
            {
                _isInputFull = true;
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

    private long Receive(Span<byte> memory)
    {
        if (_descriptors is { } descriptors)
        {
            return descriptors.Receive(_fd, memory);
        }

        fixed (byte* buffer = memory)
        {
            return Libc.Receive(_fd, buffer, (nuint)memory.Length, Libc.MSG_DONTWAIT);
        }
    }

    private void OnRoom()
    {
        var isOver = _flushing.GetResult().IsCompleted;
        _isInputFull = false;
        if (isOver)
        {
            EndInput();
        }

        UpdateWatch();
    }

    private void EndInput()
    {
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
            _context.DeferUntilEndOfTurn(_endOfTurn);
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
                TellPeerGone();
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
            _watch!.Update((WantsInput ? AioEvents.In : AioEvents.None) | (_wantsToSend ? AioEvents.Out : AioEvents.None));
        }
    }

    private void Close()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        _watch?.Dispose();
        _ = Libc.Close(_fd);
        _descriptors?.Dispose();
        _output.Reader.Complete();
        TellClosed();
    }

    private sealed class EndOfTurn(SocketConnection connection) : AioDeferred
    {
        protected override void OnEndOfTurn() => connection.Send();
    }
}
