using System.Text.Json;
using Qmp.Block;

namespace Qmp.Server.Tests.Commands;

/// <summary><c>query-block-activity</c>: loops of nodes, and what their users do.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class BlockActivityTests
{
    [Test]
    public async Task NodesTellTheirLoopAndUsersTheirRequests()
    {
        await using var server = new TestServer();
        var client = server.Connect();
        await client.DoAsync("object-add", """{"qom-type": "iothread", "id": "loop0"}""");
        await client.DoAsync("blockdev-add", """{"driver": "null-aio", "node-name": "slow", "size": 1048576, "latency-ns": 5000000000}""");
        await client.DoAsync("blockdev-add", """{"driver": "null-aio", "node-name": "lazy", "size": 1048576, "latency-ns": 20000000}""");
        await client.DoAsync("x-blockdev-set-iothread", """{"node-name": "lazy", "iothread": "loop0"}""");
        var (slow, lazy) = await server.OnMainAsync(async () => (await UseAsync(server, "slow"), await UseAsync(server, "lazy")));

        // What has begun before the first query has no beginning: it counts, and adds no time.
        var early = new byte[512];
        await server.OnMainAsync(() => ValueTask.FromResult(slow.WriteAsync(0, early).AsTask()));
        var users = await UsersAsync(client);
        Assert.That(users["slow"].GetProperty("in-flight").GetInt32(), Is.EqualTo(1));
        Assert.That(users["lazy"].GetProperty("in-flight").GetInt32(), Is.Zero);

        await server.OnMainAsync(async () =>
        {
            await lazy.Home.Enter();
            Assert.That(await lazy.WriteAsync(0, new byte[1024]), Is.Zero);
            Assert.That(await lazy.WriteAsync(2097152, new byte[512]), Is.LessThan(0));
            Assert.That(await lazy.ReadAsync(0, new byte[512]), Is.Zero);
            await server.Main.Enter();
        });
        users = await UsersAsync(client);
        Assert.That(Figures(users["lazy"], "writes"), Is.EqualTo((1, 1024, 1)));
        Assert.That(Figures(users["lazy"], "reads"), Is.EqualTo((1, 512, 0)));
        Assert.That(Figures(users["lazy"], "flushes"), Is.EqualTo((0, 0, 0)));
        Assert.That(users["lazy"].GetProperty("writes").GetProperty("total-time-ns").GetInt64(), Is.InRange(20_000_000, 60_000_000_000));
        Assert.That(users["slow"].GetProperty("writes").GetProperty("total-time-ns").GetInt64(), Is.Zero);
    }

    private static async ValueTask<BlockBackend> UseAsync(TestServer server, string node) => await BlockBackend.CreateAsync(
        server.Graph, server.Graph.Find(node), "test", BlockPermissions.Write | BlockPermissions.ConsistentRead, BlockPermissions.All, client: null);

    private static async Task<Dictionary<string, JsonElement>> UsersAsync(TestClient client)
    {
        var nodes = JsonDocument.Parse(await client.SayAsync("query-block-activity")).RootElement;
        Assert.That(nodes.EnumerateArray().Select(node => (node.GetProperty("node-name").GetString(), node.TryGetProperty("iothread", out var loop) ? loop.GetString() : null)),
            Is.EqualTo(new[] { ("lazy", "loop0"), ("slow", null) }));
        return nodes.EnumerateArray().ToDictionary(node => node.GetProperty("node-name").GetString()!, node => node.GetProperty("users")[0]);
    }

    private static (int Operations, int Bytes, int Failed) Figures(JsonElement user, string kind) => (
        user.GetProperty(kind).GetProperty("operations").GetInt32(),
        user.GetProperty(kind).GetProperty("bytes").GetInt32(),
        user.GetProperty(kind).GetProperty("failed").GetInt32());
}
