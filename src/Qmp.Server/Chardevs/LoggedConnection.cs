using System.Buffers;
using System.IO.Pipelines;
using Qmp.Protocol.Wire;

namespace Qmp.Server.Chardevs;

/// <summary>A connection of which a file gets a copy of all that is sent. <b>Main</b>.</summary>
internal sealed class LoggedConnection : ChardevConnection
{
    private const int OutputPause = 256 << 10;

    private readonly ChardevConnection _inner;
    private readonly ChardevLog _log;
    private readonly Pipe _output = LoopPipe.New(OutputPause);

    /// <summary>Takes a connection over.</summary>
    /// <param name="inner">The connection.</param>
    /// <param name="log">The file.</param>
    public LoggedConnection(ChardevConnection inner, ChardevLog log)
    {
        _inner = inner;
        _log = log;
        Peer = inner.Peer;
    }

    /// <inheritdoc/>
    public override PipeReader Input => _inner.Input;

    /// <inheritdoc/>
    public override PipeWriter Output => _output.Writer;

    /// <inheritdoc/>
    public override IQmpDescriptorSource? AcceptDescriptors() => _inner.AcceptDescriptors();

    /// <inheritdoc/>
    public override void BeginReading() => _inner.BeginReading();

    /// <inheritdoc/>
    public override void Abort() => _inner.Abort();

    /// <inheritdoc/>
    protected override void OnStart()
    {
        _inner.Start(TellPeerGone, OnClosed);
        _ = PumpAsync();
    }

    private void OnClosed()
    {
        _output.Reader.CancelPendingRead();
        TellClosed();
    }

    private async Task PumpAsync()
    {
        while (true)
        {
            var read = await _output.Reader.ReadAsync();
            var bytes = read.Buffer.ToArray();
            _output.Reader.AdvanceTo(read.Buffer.End);
            if (bytes.Length > 0)
            {
                await _log.WriteAsync(bytes);
                if ((await _inner.Output.WriteAsync(bytes)).IsCompleted)
                {
                    break;
                }
            }

            if (read.IsCompleted || read.IsCanceled)
            {
                break;
            }
        }

        await _inner.Output.CompleteAsync();
        await _output.Reader.CompleteAsync();
    }
}
