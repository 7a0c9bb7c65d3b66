using System.Net.Sockets;
using System.Text;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;

namespace Qmp.Server.Tests.Monitors;

/// <summary>Monitors on real sockets: many clients, events, and clients that misbehave.</summary>
[TestFixture]
public sealed class MonitorTests
{
    private const string Version = """{"return": {"qemu": {"micro": 92, "minor": 0, "major": 11}, "package": "qmpd-0.1.0"}}""";

    [Test]
    public async Task ClientsAreServedAtOnceEachWithItsOwnNegotiation()
    {
        await using var server = await new MonitorServer().StartAsync();
        using var first = await server.ConnectAsync();
        using var second = await server.ConnectAsync(negotiate: false);
        await second.SendAsync("""{"execute":"query-version"}""");
        Assert.That(await second.LineAsync(), Does.Contain("Expecting capabilities negotiation"));
        await first.SendAsync("""{"execute":"query-version"}""");
        Assert.That(await first.LineAsync(), Is.EqualTo(Version));
    }

    [Test]
    public async Task EventsGoToEveryNegotiatedClient()
    {
        await using var server = await new MonitorServer().StartAsync();
        using var first = await server.ConnectAsync();
        using var second = await server.ConnectAsync();
        using var silent = await server.ConnectAsync(negotiate: false);
        server.Server.Context.Events.Emit(new QmpEvent("TEST", new Text("x")));
        const string Pattern = """^\{"timestamp": \{"seconds": \d{10,}, "microseconds": \d{1,6}\}, "event": "TEST", "data": \{"text": "x"\}\}$""";
        Assert.That(await first.LineAsync(), Does.Match(Pattern));
        Assert.That(await second.LineAsync(), Does.Match(Pattern));
        await silent.SendAsync("""{"execute":"qmp_capabilities"}""");
        Assert.That(await silent.LineAsync(), Is.EqualTo("""{"return": {}}"""), "no event before negotiation");
    }

    [Test]
    public async Task OfALimitedEventTheFirstAndTheLatestPass()
    {
        await using var server = await new MonitorServer().StartAsync();
        using var client = await server.ConnectAsync();
        foreach (var text in new[] { "1", "2", "3" })
        {
            server.Server.Context.Events.Emit(new QmpEvent("QUORUM_FAILURE", new Text(text)));
        }

        Assert.That(await client.LineAsync(), Does.EndWith("""{"text": "1"}}"""));
        Assert.That(await client.LineAsync(), Does.EndWith("""{"text": "3"}}"""));
    }

    [Test]
    public async Task AClientThatDoesNotReadStopsNobodyElse()
    {
        await using var server = await new MonitorServer().StartAsync();
        using var deaf = await server.ConnectAsync();
        using var other = await server.ConnectAsync();

        // As much as it can send without reading: then the daemon takes no more from it.
        deaf.Socket.Blocking = false;
        var flood = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("""{"execute":"query-qmp-schema"}""", 1000)));
        var sent = 0L;
        for (var i = 0; i < 1000; i++)
        {
            sent += deaf.Socket.Send(flood, SocketFlags.None, out var error) is > 0 and var count ? count : 0;
            if (error == SocketError.WouldBlock)
            {
                await other.SendAsync("""{"execute":"query-version"}""");
                Assert.That(await other.LineAsync(), Is.EqualTo(Version));
                break;
            }
        }

        Assert.That(sent, Is.LessThan(16 << 20));
    }

    [Test]
    public async Task AClientThatEndsItsSideGetsItsRepliesAndThenTheEnd()
    {
        await using var server = await new MonitorServer().StartAsync();
        using var client = await server.ConnectAsync();
        await client.SendAsync("""{"execute":"query-version"}{"execute":"query-version"}{"exec""");
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.That(await client.LineAsync(), Is.EqualTo(Version));
        Assert.That(await client.LineAsync(), Is.EqualTo(Version));
        Assert.That(await client.LineAsync(), Is.Null);
    }

    [Test]
    public async Task ClientsThatVanishAtAnyMomentLeaveNothing()
    {
        await using var server = await new MonitorServer().StartAsync();
        for (var i = 0; i < 100; i++)
        {
            using var client = await server.ConnectAsync(negotiate: i % 2 == 0);
            await client.SendAsync("""{"execute":"qmp_capabilities"}{"execute":"query-qmp-schema"}{"execute":"query-qmp-schema"}{"exe"""[..(i % 80)]);
        }

        using var last = await server.ConnectAsync();
        await last.SendAsync("""{"execute":"query-version"}""");
        Assert.That(await last.LineAsync(), Is.EqualTo(Version));
    }

    [Test]
    public async Task ALargeMessageIsAnsweredAndTheConnectionLives()
    {
        await using var server = await new MonitorServer().StartAsync();
        using var client = await server.ConnectAsync();
        var id = new string('x', 4 << 20);
        var sending = client.SendAsync($$"""{"execute":"query-version","id":"{{id}}"}""");
        Assert.That((await client.LineAsync())!, Has.Length.GreaterThan(4 << 20));
        await sending;
        await client.SendAsync("""{"execute":"query-version"}""");
        Assert.That(await client.LineAsync(), Is.EqualTo(Version));
    }

    [Test]
    public async Task QuitIsAnsweredAndAsksForTheEnd()
    {
        await using var server = await new MonitorServer().StartAsync();
        using var client = await server.ConnectAsync();
        await client.SendAsync("""{"execute":"quit"}""");
        Assert.That(await client.LineAsync(), Is.EqualTo("""{"return": {}}"""));
        await server.Server.StopRequested.WaitAsync(MonitorServer.Patience);
    }

    private sealed class Text(string text) : IQapiWritable
    {
        public void Write(QapiWriter writer)
        {
            writer.BeginObject();
            writer.Name("text"u8);
            writer.Value(text);
            writer.EndObject();
        }
    }
}
