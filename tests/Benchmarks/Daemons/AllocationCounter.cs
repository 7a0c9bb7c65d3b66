using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Parsers;

namespace Benchmarks.Daemons;

/// <summary>
/// What another .NET process allocates on its managed heap, by the collector's own events: one for each 100 KiB or so.
/// </summary>
internal sealed class AllocationCounter : IDisposable
{
    private readonly EventPipeSession _session;
    private readonly Task<long> _reading;

    private AllocationCounter(EventPipeSession session)
    {
        _session = session;
        _reading = Task.Run(Read);
    }

    public static AllocationCounter Attach(int processId) =>
        new(new DiagnosticsClient(processId).StartEventPipeSession(
            [new EventPipeProvider(ClrTraceEventParser.ProviderName, EventLevel.Verbose, (long)ClrTraceEventParser.Keywords.GC)],
            requestRundown: false));

    /// <returns>Bytes allocated since it was attached.</returns>
    public async Task<long> StopAsync()
    {
        await _session.StopAsync(CancellationToken.None);
        return await _reading;
    }

    public void Dispose() => _session.Dispose();

    private long Read()
    {
        long bytes = 0;
        using var source = new EventPipeEventSource(_session.EventStream);
        source.Clr.GCAllocationTick += tick => bytes += tick.AllocationAmount64;
        source.Process();
        return bytes;
    }
}
