using System.Buffers;
using System.IO.Pipelines;
using Qmp.Aio;
using Qmp.Protocol;

namespace Qmp.Server.Tls;

/// <summary>
/// An encrypted connection on top of another: what is written is encrypted and sent, what is read was received and
/// decrypted. The handshake, whose arithmetic takes milliseconds, runs on a worker; the rest where the loop is.
/// <b>Loop</b>.
/// </summary>
internal sealed class TlsChannel : IDuplexPipe
{
    // Decrypted and not yet consumed, and written and not yet encrypted: above it the other side waits.
    private const int Pause = 64 << 10;

    private readonly AioContext _context;
    private readonly IDuplexPipe _transport;
    private readonly TlsSide _side;
    private readonly Pipe _input = LoopPipe.New(Pause);
    private readonly Pipe _output = LoopPipe.New(Pause);
    private Task<FlushResult> _flushing = Task.FromResult(default(FlushResult));

    private TlsChannel(AioContext context, IDuplexPipe transport, TlsSide side)
    {
        _context = context;
        _transport = transport;
        _side = side;
    }

    /// <summary>What was received.</summary>
    public PipeReader Input => _input.Reader;

    /// <summary>What is to be sent. Completing it tells the other side that nothing follows, and completes what is below.</summary>
    public PipeWriter Output => _output.Writer;

    /// <summary>
    /// Shakes hands. When it fails, what is below has been completed, after the other side was told why.
    /// </summary>
    /// <param name="context">The loop, which the caller is on.</param>
    /// <param name="transport">What is below: a connected socket.</param>
    /// <param name="side">This side.</param>
    /// <param name="isAllowed">Whether an identity is let in, asked on the loop; null lets everybody in. One who did not
    /// have to say who he is has none, and is not let in.</param>
    /// <param name="limit">How long it may take.</param>
    /// <exception cref="QmpException">It failed.</exception>
    public static async Task<TlsChannel> OpenAsync(AioContext context, IDuplexPipe transport, TlsSide side, Func<string, bool>? isAllowed, TimeSpan limit)
    {
        TlsChannel channel = new(context, transport, side);
        try
        {
            await channel.HandshakeAsync(limit);
            if (isAllowed is not null && !(side.PeerIdentity is { } identity && isAllowed(identity)))
            {
                throw new QmpException($"TLS x509 authz check for {side.PeerIdentity ?? "nobody"} is denied");
            }
        }
        catch (Exception e)
        {
            channel.CloseProtocol();
            channel.Send();
            await transport.Output.CompleteAsync();
            await transport.Input.CompleteAsync();
            throw e as QmpException ?? new QmpException($"TLS handshake failed: {e.Message}");
        }

        channel.ReceiveLoop();
        channel.SendLoop();
        return channel;
    }

    private async Task HandshakeAsync(TimeSpan limit)
    {
        var isLate = false;
        using var timer = _context.NewTimer(() =>
        {
            isLate = true;
            _transport.Input.CancelPendingRead();
        });
        timer.Arm(_context.NowNs + ((long)limit.TotalMilliseconds * 1_000_000));
        await OnWorkerAsync(_side.Start);
        while (true)
        {
            Send();
            await FlushAsync();
            if (_side.Protocol.IsConnected || _side.Protocol.GetAvailableInputBytes() > 0)
            {
                return; // perhaps with all that the other side had to say, and its end
            }

            var result = await _transport.Input.ReadAsync();
            if (isLate)
            {
                throw new IOException("it took too long");
            }

            var received = result.Buffer.ToArray();
            _transport.Input.AdvanceTo(result.Buffer.End);
            if (received.Length == 0 && result.IsCompleted)
            {
                throw new IOException("the other side closed the connection");
            }

            await OnWorkerAsync(() => _side.Protocol.OfferInput(received));
        }
    }

    private async Task OnWorkerAsync(Action action) => await _context.RunOnWorkerAsync(() =>
    {
        action();
        return true;
    });

    private async void ReceiveLoop()
    {
        try
        {
            var isOver = false;
            while (!isOver)
            {
                // What came with the end of the handshake is there already.
                Decrypted();
                if ((await _input.Writer.FlushAsync()).IsCompleted)
                {
                    break;
                }

                var result = await _transport.Input.ReadAsync();
                foreach (var part in result.Buffer)
                {
                    Offer(part);
                }

                _transport.Input.AdvanceTo(result.Buffer.End);
                Send(); // alerts, new keys
                await FlushAsync();
                isOver = result.IsCompleted || _side.Protocol.IsClosed;
            }

            Decrypted();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // The connection is broken, or what came is not what the other side sent.
        }

        await _input.Writer.CompleteAsync();
        await _transport.Input.CompleteAsync();
    }

    private async void SendLoop()
    {
        try
        {
            while (true)
            {
                var result = await _output.Reader.ReadAsync();
                foreach (var part in result.Buffer)
                {
                    _side.Protocol.WriteApplicationData(part.Span);
                }

                _output.Reader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    break;
                }

                Send();
                if ((await FlushAsync()).IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // As above.
        }

        CloseProtocol();
        Send();
        await _output.Reader.CompleteAsync();
        await _transport.Output.CompleteAsync();
    }

    // Both directions have something to send, and a pipe flushes for one at a time.
    private async ValueTask<FlushResult> FlushAsync()
    {
        while (!_flushing.IsCompleted)
        {
            await _flushing;
        }

        _flushing = _transport.Output.FlushAsync().AsTask();
        return await _flushing;
    }

    private void Offer(ReadOnlyMemory<byte> part)
    {
        var array = System.Runtime.InteropServices.MemoryMarshal.TryGetArray(part, out var segment) ? segment : new ArraySegment<byte>(part.ToArray());
        _side.Protocol.OfferInput(array.Array!, array.Offset, array.Count);
    }

    private void Decrypted()
    {
        while (_side.Protocol.GetAvailableInputBytes() is var count && count > 0)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(count);
            _side.Protocol.ReadInput(buffer, 0, count);
            _input.Writer.Write(buffer.AsSpan(0, count));
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    private void Send()
    {
        while (_side.Protocol.GetAvailableOutputBytes() is var count && count > 0)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(count);
            _side.Protocol.ReadOutput(buffer, 0, count);
            _transport.Output.Write(buffer.AsSpan(0, count));
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void CloseProtocol()
    {
        try
        {
            _side.Protocol.Close();
        }
        catch (IOException)
        {
            // A protocol that never began, or has failed, has nothing to say any more.
        }
    }
}
