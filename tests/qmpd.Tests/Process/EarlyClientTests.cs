using Qmp.Testing;

namespace Qmp.Daemon.Tests.Process;

/// <summary>A client in a hurry.</summary>
public class EarlyClientTests
{
    [Test]
    public async Task ItNeedNotWaitForTheGreeting()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Qmp.Testing.Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        for (var i = 0; i < 200; i++)
        {
            await using var client = await QmpLineClient.ConnectAsync(folder.File("qmp.sock"));
            await client.SendLineAsync("{\"execute\": \"qmp_capabilities\"}");
            Assert.That(await client.ReadLineAsync(), Does.StartWith("{\"QMP\": "));
            Assert.That(await client.ReadLineAsync(), Is.EqualTo("{\"return\": {}}"));
        }
    }
}
