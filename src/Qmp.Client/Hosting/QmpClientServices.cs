using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Qmp.Client;

/// <summary>Clients in a host of Microsoft.Extensions.Hosting.</summary>
public static class QmpClientServices
{
    private static readonly QmpClientOptions Default = new()
    {
        Reconnect = new QmpReconnectPolicy { RetryFirstConnection = true },
    };

    /// <summary>
    /// Adds one <see cref="QmpClient"/> for the life of the host. It begins to connect when the host starts and is closed
    /// when the host stops; the start does not wait for the server, calls do.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="endpoint">Where the server is; a text is read by <see cref="QmpEndpoint.Parse"/>.</param>
    /// <param name="configure">Changes the options, which say to connect again and again.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddQmpClient(
        this IServiceCollection services, QmpEndpoint endpoint, Func<QmpClientOptions, QmpClientOptions>? configure = null)
    {
        services.AddSingleton(_ => New(endpoint, configure));
        return services.AddSingleton<IHostedService>(provider => new ClientService(provider.GetRequiredService<QmpClient>()));
    }

    /// <summary>As <see cref="AddQmpClient(IServiceCollection, QmpEndpoint, Func{QmpClientOptions, QmpClientOptions}?)"/>, by a key: for several servers.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="key">The key of the service.</param>
    /// <param name="endpoint">Where the server is; a text is read by <see cref="QmpEndpoint.Parse"/>.</param>
    /// <param name="configure">Changes the options, which say to connect again and again.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddKeyedQmpClient(
        this IServiceCollection services, object key, QmpEndpoint endpoint, Func<QmpClientOptions, QmpClientOptions>? configure = null)
    {
        services.AddKeyedSingleton(key, (_, _) => New(endpoint, configure));
        return services.AddSingleton<IHostedService>(provider => new ClientService(provider.GetRequiredKeyedService<QmpClient>(key)));
    }

    private static QmpClient New(QmpEndpoint endpoint, Func<QmpClientOptions, QmpClientOptions>? configure)
    {
        var options = endpoint.CanReconnect ? Default : new QmpClientOptions();
        return QmpClient.Start(endpoint, configure?.Invoke(options) ?? options);
    }

    // Making it makes the client, which connects.
    private sealed class ClientService(QmpClient client) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => client.DisposeAsync().AsTask();
    }
}
