using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Qmp.Protocol;

namespace Qmp.Hosting;

/// <summary>A QMP server in a host of Microsoft.Extensions.Hosting.</summary>
public static class QmpHostServices
{
    /// <summary>
    /// Adds a server that listens on a Unix socket while the host runs. The host ends when a client says <c>quit</c>.
    /// Events go out through <see cref="IQmpEventSink"/>.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="path">Path of the socket.</param>
    /// <param name="commands">Makes the table of commands; handlers may come from the services.</param>
    /// <param name="options">What the server says of itself and allows.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddQmpServer(
        this IServiceCollection services, string path, Func<IServiceProvider, QmpHost, IQmpCommandTable> commands, QmpHostOptions? options = null)
    {
        services.AddSingleton(provider => new QmpHost(host => commands(provider, host), options));
        services.AddSingleton<IQmpEventSink>(provider => provider.GetRequiredService<QmpHost>());
        return services.AddSingleton<IHostedService>(provider =>
            new Service(provider.GetRequiredService<QmpHost>(), provider.GetRequiredService<IHostApplicationLifetime>(), path));
    }

    private sealed class Service(QmpHost host, IHostApplicationLifetime lifetime, string path) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            host.ListenUnix(path);
            _ = StopOnQuitAsync();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => host.DisposeAsync().AsTask();

        private async Task StopOnQuitAsync()
        {
            await host.QuitRequested.ConfigureAwait(false);
            lifetime.StopApplication();
        }
    }
}
