using Qmp.Client.Schema;

namespace Qmp.Client.Tests;

/// <summary>Replies of servers that are older or newer than the schema.</summary>
[TestFixture]
public sealed class TolerantReadingTests
{
    [Test]
    public async Task AnObjectThatIsMissingReadsAsAnEmptyOne()
    {
        await using var server = await ScriptedServer.StartAsync();
        var version = server.Client.QueryVersionAsync();
        await server.ReplyAsync(await server.ReceiveAsync(), "{}");
        Assert.That((await version).Qemu.Major, Is.Zero);
        Assert.That((await version).Package, Is.Empty);
    }

    [Test]
    public async Task AValueThatTheSchemaLacksDoesNotHideTheRest()
    {
        await using var server = await ScriptedServer.StartAsync();
        var exports = server.Client.QueryBlockExportsAsync();
        await server.ReplyAsync(await server.ReceiveAsync(), """
            [{"id": "a", "type": "vhost-user-blk", "node-name": "n", "shutting-down": false}, {"id": "b", "type": "teleport", "node-name": "m", "shutting-down": true}, {"id": "c"}]
            """.Trim());
        Assert.That((await exports).Select(export => (export.Id, export.Type, export.ShuttingDown)), Is.EqualTo(new[]
        {
            ("a", BlockExportType.VhostUserBlk, false), ("b", BlockExportType.NotInSchema, true), ("c", BlockExportType.NotInSchema, false),
        }));
    }

    [Test]
    public async Task AnEventMayHaveOneToo()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var changes = server.Client.Subscribe(QmpEventTypes.JobStatusChange);
        await server.SendAsync("""{"event": "JOB_STATUS_CHANGE", "data": {"id": "j", "status": "levitating"}}""");
        await using var reading = changes.GetAsyncEnumerator();
        Assert.That(await reading.MoveNextAsync());
        Assert.That((reading.Current.Data.Id, reading.Current.Data.Status), Is.EqualTo(("j", JobStatus.NotInSchema)));
    }

    [Test]
    public async Task SuchAValueCannotBeSent()
    {
        await using var server = await ScriptedServer.StartAsync();
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => server.Client.BlockdevAddAsync(new BlockdevOptions { Driver = BlockdevDriver.NotInSchema }));
    }
}
