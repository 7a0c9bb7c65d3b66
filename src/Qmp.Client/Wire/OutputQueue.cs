using System.Buffers;

namespace Qmp.Client;

/// <summary>
/// What is to be sent, in order. Calls that are made while the transport is busy leave together. Any thread.
/// </summary>
/// <param name="transport">Where to.</param>
/// <param name="failed">Called once when sending fails.</param>
internal sealed class OutputQueue(ClientTransport transport, Action<Exception> failed)
{
    private readonly Lock _lock = new();
    private readonly Queue<Chunk> _chunks = new();
    private Chunk? _last;
    private bool _isSending;
    private bool _isOver;

    /// <summary>Queues a call.</summary>
    public void Add(ClientCall call)
    {
        lock (_lock)
        {
            if (_isOver)
            {
                throw new IOException("the connection is closed");
            }

            if (_last is null || call.Descriptors.Count > 0)
            {
                _last = new Chunk(call.Descriptors);
                _chunks.Enqueue(_last);
            }

            _last.Bytes.Write(call.Line.Span);
            if (call.Descriptors.Count > 0)
            {
                _last = null; // what follows is another message
            }

            if (_isSending)
            {
                return;
            }

            _isSending = true;
        }

        _ = SendAllAsync();
    }

    private async Task SendAllAsync()
    {
        try
        {
            while (TryTake(out var chunk))
            {
                await transport.SendAsync(chunk.Bytes.WrittenMemory, chunk.Descriptors).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            lock (_lock)
            {
                _isOver = true;
                _chunks.Clear();
                _last = null;
            }

            failed(e);
        }
    }

    private bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Chunk? chunk)
    {
        lock (_lock)
        {
            _isSending = _chunks.TryDequeue(out chunk);
            if (chunk == _last)
            {
                _last = null;
            }

            return _isSending;
        }
    }

    private sealed class Chunk(IReadOnlyList<System.Runtime.InteropServices.SafeHandle> descriptors)
    {
        public ArrayBufferWriter<byte> Bytes { get; } = new(256);

        public IReadOnlyList<System.Runtime.InteropServices.SafeHandle> Descriptors => descriptors;
    }
}
