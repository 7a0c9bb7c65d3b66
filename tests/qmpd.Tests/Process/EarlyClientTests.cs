using Qmp.Testing;

namespace Qmp.Daemon.Tests.Process;

/// <summary>A client that comes while the daemon is still being set up: here it waits for the client of another socket.</summary>
public class EarlyClientTests
{
    [Test]
    public async Task ItIsGreetedAndItsCommandsWait()
    {
        using var folder = new WorkFolder();
        await using var daemon = Start(folder, "null-co,node-name=last,size=1048576");
        await daemon.WaitForSocketAsync("qmp.sock");
        await using var client = await QmpLineClient.ConnectAsync(folder.File("qmp.sock"));
        Assert.That(await client.ReadLineAsync(), Does.StartWith("{\"QMP\": "));
        await client.SendLineAsync("{\"execute\": \"qmp_capabilities\"}");
        await client.SendLineAsync("{\"execute\": \"query-named-block-nodes\", \"arguments\": {\"flat\": true}}");

        // The setup goes on when there is a client here, and makes the node last.
        await daemon.WaitForSocketAsync("gate.sock");
        await using var gate = await QmpLineClient.ConnectAsync(folder.File("gate.sock"));
        Assert.That(await client.ReadLineAsync(), Is.EqualTo("{\"return\": {}}"));
        Assert.That(await client.ReadLineAsync(), Does.Contain("\"node-name\": \"last\""));
    }

    [Test]
    public async Task ItIsSentAwayWhenTheSetupFails()
    {
        using var folder = new WorkFolder();
        await using var daemon = Start(folder, "file,node-name=last,filename=missing");
        await daemon.WaitForSocketAsync("qmp.sock");
        await using var client = await QmpLineClient.ConnectAsync(folder.File("qmp.sock"));
        Assert.That(await client.ReadLineAsync(), Does.StartWith("{\"QMP\": "));
        await client.SendLineAsync("{\"execute\": \"qmp_capabilities\"}");
        await daemon.WaitForSocketAsync("gate.sock");
        await using var gate = await QmpLineClient.ConnectAsync(folder.File("gate.sock"));
        Assert.That(await client.TryReadLineAsync(), Is.Null);
        Assert.That(await daemon.WaitForExitAsync(), Is.EqualTo(1));
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Path), Is.Empty);
    }

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

    private static Qmp.Testing.Daemon Start(WorkFolder folder, string node) => Qmp.Testing.Daemon.Start(
        DaemonProgram.Qmpd, folder.Path,
        [.. Qmp.Testing.Daemon.MonitorArguments(folder.File("qmp.sock")), "--chardev", $"socket,id=gate,path={folder.File("gate.sock")},server=on,wait=on", "--blockdev", node]);
}
