using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Qmp.Server;

namespace Qmp.Daemon;

/// <summary>
/// The generic host that starts and stops the daemon's services. It gets instances of what it would otherwise find and
/// construct by reflection: that took 4 ms and 1.2 MiB of a native daemon's start.
/// </summary>
internal static class DaemonHost
{
    /// <summary>Makes the host of a server.</summary>
    public static IHost Create(QmpServer server)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services
            .AddSingleton<IHostLifetime>(new SignalsAreOurs())
            .AddSingleton<IOptions<HostOptions>>(Options.Create(new HostOptions()))
            .AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance) // the server has a log of its own
            .RemoveAll<IStartupValidator>() // of options that nobody set
            .AddQmpServer(server);
        return builder.Build();
    }

    private sealed class SignalsAreOurs : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
