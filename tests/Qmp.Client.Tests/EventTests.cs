using Qmp.Client.Schema;

namespace Qmp.Client.Tests;

/// <summary>Subscriptions: order, filters, types, bounds and ends.</summary>
[TestFixture]
public sealed class EventTests
{
    [Test]
    public async Task NoneIsLostBetweenSubscribingAndReading()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var events = server.Client.Subscribe();
        var call = server.Client.CallAsync("cause");
        var request = await server.ReceiveAsync();
        await server.SendAsync(
            ScriptedServer.Event("FIRST"), ScriptedServer.Event("SECOND"), ScriptedServer.Reply(request, "{}"), ScriptedServer.Event("THIRD"));
        var reply = (await call)!;

        // Whoever has the reply finds what came before it, and can tell it from what came after.
        Assert.That(events.TryNext(out var first), Is.True);
        Assert.That(events.TryNext(out var second), Is.True);
        var third = await events.NextAsync();
        Assert.That(new[] { first!.Name, second!.Name, third.Name }, Is.EqualTo(new[] { "FIRST", "SECOND", "THIRD" }));
        Assert.That(second.Sequence, Is.LessThan(reply.Sequence));
        Assert.That(third.Sequence, Is.GreaterThan(reply.Sequence));
        Assert.That(first.Timestamp, Is.EqualTo(DateTimeOffset.FromUnixTimeMilliseconds(1700000000250)));
    }

    [Test]
    public async Task EachSubscriptionGetsItsOwn()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var some = server.Client.Subscribe("B", "C");
        using var typed = server.Client.Subscribe(QmpEventTypes.BlockExportDeleted);
        using var filtered = server.Client.Subscribe(received => received.Data.TryGetProperty("id", out _));
        var waiting = server.Client.WaitForEventAsync("C");
        await server.SendAsync(
            ScriptedServer.Event("A"), ScriptedServer.Event("B"),
            ScriptedServer.Event("BLOCK_EXPORT_DELETED", """{"id": "export0", "a-member-of-tomorrow": 1}"""),
            ScriptedServer.Event("C"));
        Assert.That((await waiting).Name, Is.EqualTo("C"));
        Assert.That((await some.NextAsync()).Name, Is.EqualTo("B"));
        Assert.That((await some.NextAsync()).Name, Is.EqualTo("C"));
        BlockExportDeletedData data = (await typed.NextAsync()).Data;
        Assert.That(data.Id, Is.EqualTo("export0"));
        Assert.That(filtered.TryNext(out var found) && found.Name == "BLOCK_EXPORT_DELETED", Is.True);
        Assert.That(filtered.TryNext(out _), Is.False);
    }

    [Test]
    public async Task ASlowReaderIsToldThatEventsAreLost()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var events = server.Client.Subscribe(options: new QmpSubscriptionOptions { Capacity = 2 });
        await SendNumbersAsync(server, 5);
        var read = new List<string>();
        await Assert.ThrowsAsync<QmpEventsLostException>(async () =>
        {
            await foreach (var received in events)
            {
                read.Add(received.Name);
            }
        });
        Assert.That(read, Is.EqualTo(new[] { "E0", "E1" }));
    }

    [TestCase(QmpOverflow.DropOldest, "E3", "E4")]
    [TestCase(QmpOverflow.DropNewest, "E0", "E1")]
    public async Task ASlowReaderMayChooseWhatIsDropped(QmpOverflow overflow, string first, string second)
    {
        await using var server = await ScriptedServer.StartAsync();
        using var events = server.Client.Subscribe(options: new QmpSubscriptionOptions { Capacity = 2, Overflow = overflow });
        await SendNumbersAsync(server, 5);
        Assert.That((await events.NextAsync()).Name, Is.EqualTo(first));
        Assert.That((await events.NextAsync()).Name, Is.EqualTo(second));
        Assert.That(events.Lost, Is.EqualTo(3));
    }

    [Test]
    public async Task AFilterThatFailsEndsItsSubscriptionOnly()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var broken = server.Client.Subscribe(_ => throw new InvalidOperationException("mine"));
        using var whole = server.Client.Subscribe();
        await SendNumbersAsync(server, 1);
        Assert.That((await whole.NextAsync()).Name, Is.EqualTo("E0"));
        var failed = (await Assert.ThrowsAsync<InvalidOperationException>(async () => await broken.NextAsync()))!;
        Assert.That(failed.Message, Is.EqualTo("mine"));
    }

    [Test]
    public async Task ALostConnectionEndsSubscriptionsAfterWhatTheyHold()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var events = server.Client.Subscribe();
        await server.SendAsync(ScriptedServer.Event("LAST"));
        await server.CloseAsync();
        Assert.That((await events.NextAsync()).Name, Is.EqualTo("LAST"));
        await Assert.ThrowsAsync<QmpConnectionException>(async () => await events.NextAsync());
    }

    [Test]
    public async Task DataThatDoesNotFitSaysSoAndStaysReadable()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var events = server.Client.Subscribe();
        await server.SendAsync(ScriptedServer.Event("BLOCK_EXPORT_DELETED", """{"id": 5}"""));
        var received = await events.NextAsync();
        Assert.Throws<QmpProtocolException>(() => received.Is(QmpEventTypes.BlockExportDeleted, out _));
        Assert.That(received.Data.GetProperty("id").GetInt32(), Is.EqualTo(5));
    }

    private static async Task SendNumbersAsync(ScriptedServer server, int count)
    {
        await server.SendAsync([.. Enumerable.Range(0, count).Select(i => ScriptedServer.Event("E" + i))]);

        // A reply that follows them says that they have arrived.
        var call = server.Client.ExecuteAsync("barrier");
        await server.ReplyAsync(await server.ReceiveAsync(), "{}");
        await call;
    }
}
