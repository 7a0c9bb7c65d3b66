using System.Text.Json.Nodes;
using Microsoft.Win32.SafeHandles;
using Qmp.Client.Schema;

namespace Qmp.Client.Tests;

/// <summary>Against the real qemu-system-x86_64: what a storage daemon has not.</summary>
[TestFixture]
public sealed class QemuTests
{
    [Test]
    public async Task CommandsOfTheSchemaAndOthersWork()
    {
        await using var server = await TestServer.StartQemuAsync();
        var version = await server.Client.QueryVersionAsync();
        Assert.That(version.Package, Is.EqualTo(server.Client.Greeting.Package));
        var status = await server.Client.ExecuteAsync("query-status");
        Assert.That(status.GetProperty("status").GetString(), Is.EqualTo("running"));
        Assert.That((await server.Client.QueryCommandsAsync()).Select(command => command.Name), Does.Contain("migrate"));
        await server.Client.ObjectAddAsync(new ObjectOptions { QomType = ObjectType.Iothread, Id = "loop0", Iothread = new IothreadProperties() });
        Assert.That((await server.Client.QueryIothreadsAsync()).Select(loop => loop.Id), Is.EqualTo(new[] { "loop0" }));
    }

    [Test]
    public async Task EventsOfAnotherSchemaArrive()
    {
        await using var server = await TestServer.StartQemuAsync();
        var stopped = server.Client.WaitForEventAsync("STOP");
        await server.Client.ExecuteAsync("stop");
        Assert.That((await stopped).Timestamp, Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(5)));
    }

    [Test]
    public async Task ADescriptorGoesAlongWithItsCommand()
    {
        await using var server = await TestServer.StartQemuAsync();
        var path = Path.Combine(server.Folder, "passed.img");
        await File.WriteAllTextAsync(path, new string('x', 4096));
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var call = new QmpCallOptions { Descriptors = [file] };
        var others = Enumerable.Range(0, 5).Select(_ => server.Client.QueryVersionAsync()).ToArray();
        var added = await server.Client.ExecuteAsync("add-fd", new JsonObject { ["fdset-id"] = 3 }, call);
        await Task.WhenAll(others);
        Assert.That(added.GetProperty("fdset-id").GetInt32(), Is.EqualTo(3));

        // It is that file: its name is gone, and QEMU opens it.
        File.Delete(path);
        await server.Client.ExecuteAsync(
            "blockdev-add", new JsonObject { ["driver"] = "file", ["node-name"] = "disk0", ["filename"] = "/dev/fdset/3" });
        var nodes = await server.Client.ExecuteAsync("query-named-block-nodes", new JsonObject { ["flat"] = true });
        Assert.That(nodes[0].GetProperty("image").GetProperty("virtual-size").GetInt64(), Is.EqualTo(4096));
    }

    [Test]
    public async Task ACommandOvertakes()
    {
        await using var server = await TestServer.StartQemuAsync();
        Assert.That(server.Client.IsOutOfBandEnabled, Is.True);
        var oob = new QmpCallOptions { OutOfBand = true };
        var refused = (await Assert.ThrowsAsync<QmpCommandException>(() => server.Client.ExecuteAsync("query-status", call: oob)))!;
        Assert.That(refused.Description, Is.EqualTo("The command query-status does not support OOB"));
        refused = (await Assert.ThrowsAsync<QmpCommandException>(() => server.Client.ExecuteAsync("migrate-pause", call: oob)))!;
        Assert.That(refused.Description, Does.Contain("postcopy"));
    }

    [Test]
    public async Task QuitEndsTheConnectionAfterItsReply()
    {
        await using var server = await TestServer.StartQemuAsync();
        using var events = server.Client.Subscribe("SHUTDOWN");
        await server.Client.QuitAsync();
        Assert.That((await events.NextAsync()).Data.GetProperty("reason").GetString(), Is.EqualTo("host-qmp-quit"));
        await Assert.ThrowsAsync<QmpConnectionException>(async () => await events.NextAsync());
    }
}
