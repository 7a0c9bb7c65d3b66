using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Qmp.Server.Monitors;

namespace Qmp.Server;

/// <summary>A server in a host of Microsoft.Extensions.Hosting.</summary>
public static class QmpServerServices
{
    /// <summary>
    /// Adds the server, and a service that lets its monitors take clients. The main loop of the server is run
    /// by somebody else, for instance the main thread.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="server">The server.</param>
    public static IServiceCollection AddQmpServer(this IServiceCollection services, QmpServer server)
    {
        services.AddSingleton(server);
        services.AddSingleton<IHostedService>(new MonitorService(server.Monitors, server.Context.Main));
        return services;
    }
}
