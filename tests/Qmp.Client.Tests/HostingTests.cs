using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Qmp.Testing;

namespace Qmp.Client.Tests;

/// <summary>Clients as services of a host.</summary>
[TestFixture]
public sealed class HostingTests
{
    [Test]
    public async Task TheHostConnectsAndCloses()
    {
        using var folder = new WorkFolder();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddQmpClient(folder.File("qmp.sock"));
        builder.Services.AddKeyedQmpClient("second", folder.File("qmp.sock"), options => options with { CallTimeout = TimeSpan.FromSeconds(60) });
        using var host = builder.Build();
        await host.StartAsync(); // before the daemon
        var client = host.Services.GetRequiredService<QmpClient>();
        var version = client.QueryVersionAsync();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        Assert.That((await version).Package, Does.StartWith("qmpd-"));
        var second = host.Services.GetRequiredKeyedService<QmpClient>("second");
        Assert.That(second, Is.Not.SameAs(client));
        Assert.That((await second.QueryVersionAsync()).Package, Does.StartWith("qmpd-"));
        await host.StopAsync();
        Assert.That(client.State, Is.EqualTo(QmpConnectionState.Closed));
    }
}
