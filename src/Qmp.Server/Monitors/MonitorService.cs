using Microsoft.Extensions.Hosting;
using Qmp.Aio;

namespace Qmp.Server.Monitors;

/// <summary>Runs the monitors from the start of the host to its end.</summary>
/// <param name="monitors">The monitors.</param>
/// <param name="main">The main loop, which somebody runs.</param>
internal sealed class MonitorService(MonitorRegistry monitors, AioContext main) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await main.Enter();
        monitors.Start();
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (stoppingToken.UnsafeRegister(static source => ((TaskCompletionSource)source!).SetResult(), stopping))
        {
            await stopping.Task.ConfigureAwait(false);
        }

        await main.Enter();
        monitors.Stop();
    }
}
