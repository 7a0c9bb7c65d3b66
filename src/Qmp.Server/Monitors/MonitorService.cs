using Microsoft.Extensions.Hosting;
using Qmp.Aio;

namespace Qmp.Server.Monitors;

/// <summary>
/// Runs the monitors from the start of the host to its end. Not a <see cref="BackgroundService"/>: that needs threads of
/// the pool, which the daemon has no other use for.
/// </summary>
/// <param name="monitors">The monitors.</param>
/// <param name="main">The main loop, which somebody runs.</param>
internal sealed class MonitorService(MonitorRegistry monitors, AioContext main) : IHostedService
{
    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await main.Enter();
        monitors.Start();
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await main.Enter();
        monitors.Stop();
    }
}
