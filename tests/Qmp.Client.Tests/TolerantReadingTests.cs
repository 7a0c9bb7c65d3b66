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
}
