using Qmp.Testing;

namespace Benchmarks.Daemons;

/// <summary>
/// Both daemons, started and warm; only one at a time has something to do. They take turns at every measurement, so that
/// whatever else the machine does meanwhile meets both.
/// </summary>
internal sealed class Pair(DiskDaemon ours, DiskDaemon? peer, int round) : IAsyncDisposable
{
    public DiskDaemon Ours => ours;

    public DiskDaemon? Peer => peer;

    public static async Task<Pair> StartAsync(int round, Func<DaemonProgram, Task<DiskDaemon>> start)
    {
        DiskDaemon ours = await start(DaemonProgram.Qmpd);
        try
        {
            return new Pair(ours, DaemonProgram.Peer is DaemonProgram peer ? await start(peer) : null, round);
        }
        catch
        {
            await ours.DisposeAsync();
            throw;
        }
    }

    /// <summary>One measurement of each; who is first changes from round to round.</summary>
    public async Task<(T Ours, T? Peer)> MeasureAsync<T>(Func<DiskDaemon, Task<T>> measure)
        where T : class
    {
        T? first = round % 2 == 1 && peer != null ? await measure(peer) : null;
        T mine = await measure(ours);
        return (mine, first ?? (peer != null ? await measure(peer) : null));
    }

    public async ValueTask DisposeAsync()
    {
        await ours.DisposeAsync();
        if (peer != null)
        {
            await peer.DisposeAsync();
        }
    }
}
