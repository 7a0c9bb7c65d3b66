using Microsoft.Extensions.Hosting;
using Qmp.Aio;

namespace Qmp.Server.Monitors;

/// <summary>Runs one monitor from the start of the host to its end.</summary>
/// <param name="monitor">The monitor.</param>
/// <param name="main">The main loop, which somebody runs.</param>
internal sealed class MonitorService(QmpMonitor monitor, AioContext main) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await main.Enter();
        monitor.Start();
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (stoppingToken.UnsafeRegister(static source => ((TaskCompletionSource)source!).SetResult(), stopping))
        {
            await stopping.Task.ConfigureAwait(false);
        }

        await main.Enter();
        monitor.Stop();
    }
}
