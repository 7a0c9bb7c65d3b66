using Qmp.Protocol;

namespace Qmp.Client.Tests;

/// <summary>What a call is on the wire, and how it ends.</summary>
[TestFixture]
public sealed class CallTests
{
    [Test]
    public async Task RepliesFindTheirCallsInAnyOrder()
    {
        await using var server = await ScriptedServer.StartAsync();
        var first = server.Client.CallAsync("first");
        var second = server.Client.CallAsync("second");
        var requests = new[] { await server.ReceiveAsync(), await server.ReceiveAsync() };
        Assert.That(requests.Select(request => request.GetProperty("execute").GetString()), Is.EqualTo(new[] { "first", "second" }));
        await server.SendAsync(ScriptedServer.Reply(requests[1], "2"), ScriptedServer.Reply(requests[0], "1"));
        Assert.That((await first)!.Value.GetInt32(), Is.EqualTo(1));
        Assert.That((await second)!.Value.GetInt32(), Is.EqualTo(2));
        Assert.That((await second)!.Sequence, Is.LessThan((await first)!.Sequence));
    }

    [Test]
    public async Task WhoLeavesIsNotAnsweredAndOthersAre()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var leaving = new CancellationTokenSource();
        var left = server.Client.ExecuteAsync("slow", cancellationToken: leaving.Token);
        var request = await server.ReceiveAsync();
        await leaving.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => left);

        var other = server.Client.ExecuteAsync("quick");
        var quick = await server.ReceiveAsync();
        await server.SendAsync(ScriptedServer.Reply(request, "{}"), ScriptedServer.Reply(quick, "7"));
        Assert.That((await other).GetInt32(), Is.EqualTo(7));
    }

    [Test]
    public async Task ATimeoutNamesTheCommand()
    {
        await using var server = await ScriptedServer.StartAsync();
        var late = (await Assert.ThrowsAsync<QmpTimeoutException>(
            () => server.Client.ExecuteAsync("slow", call: new QmpCallOptions { Timeout = TimeSpan.FromMilliseconds(20) })))!;
        Assert.That(late.Command, Is.EqualTo("slow"));
        Assert.That(late.Message, Is.EqualTo("no reply to 'slow' within 0.02 s"));
        Assert.That(server.Client.State, Is.EqualTo(QmpConnectionState.Connected));
    }

    [Test]
    public async Task ArgumentsThatCannotBeWrittenHarmNobody()
    {
        await using var server = await ScriptedServer.StartAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => server.Client.BlockdevAddAsync(new Schema.BlockdevOptions { Driver = Schema.BlockdevDriver.File }));
        var call = server.Client.ExecuteAsync("next");
        await server.ReplyAsync(await server.ReceiveAsync(), "{}");
        await call;
    }

    [Test]
    public async Task OutOfBandHasItsOwnWord()
    {
        await using var server = await ScriptedServer.StartAsync(new QmpClientOptions { MaxCallsInFlight = 1 });
        var inBand = server.Client.ExecuteAsync("waits");
        var waiting = await server.ReceiveAsync();
        var urgent = server.Client.ExecuteAsync("overtakes", call: new QmpCallOptions { OutOfBand = true });
        var overtaking = await server.ReceiveAsync();
        Assert.That(overtaking.GetProperty("exec-oob").GetString(), Is.EqualTo("overtakes"));
        await server.ReplyAsync(overtaking, "{}");
        await urgent;
        await server.ReplyAsync(waiting, "{}");
        await inBand;
    }

    [Test]
    public async Task OutOfBandWithoutTheCapabilityIsRefusedHere()
    {
        await using var server = await ScriptedServer.StartAsync(new QmpClientOptions { EnableOutOfBand = false });
        Assert.That(server.Client.IsOutOfBandEnabled, Is.False);
        await Assert.ThrowsAsync<NotSupportedException>(
            () => server.Client.ExecuteAsync("overtakes", call: new QmpCallOptions { OutOfBand = true }));
    }

    [Test]
    public async Task NoMoreCallsAreSentThanAllowed()
    {
        await using var server = await ScriptedServer.StartAsync(new QmpClientOptions { MaxCallsInFlight = 2 });
        var calls = Enumerable.Range(0, 3).Select(i => server.Client.ExecuteAsync("call" + i)).ToArray();
        var first = await server.ReceiveAsync();
        await server.ReceiveAsync();
        var third = server.ReceiveAsync();
        Assert.That(third.IsCompleted, Is.False);
        await server.ReplyAsync(first, "{}");
        Assert.That((await third).GetProperty("execute").GetString(), Is.EqualTo("call2"));
        await calls[0];
    }

    /// <summary>The engine would end the connection for it.</summary>
    [Test]
    public async Task AReplyThatNobodyWaitsForIsDropped()
    {
        await using var server = await ScriptedServer.StartAsync();
        await server.SendAsync("""{"return": {}, "id": 12345}""", """{"return": {}, "id": "text"}""", """{"return": {}}""");
        var call = server.Client.ExecuteAsync("still-there");
        await server.ReplyAsync(await server.ReceiveAsync(), "1");
        Assert.That((await call).GetInt32(), Is.EqualTo(1));
    }

    /// <summary>A server that could not read the command cannot name it; it answers in order.</summary>
    [Test]
    public async Task AnErrorWithoutAnIdBelongsToTheOldestCall()
    {
        await using var server = await ScriptedServer.StartAsync();
        var first = server.Client.ExecuteAsync("first");
        var second = server.Client.ExecuteAsync("second");
        await server.ReceiveAsync();
        var request = await server.ReceiveAsync();
        await server.SendAsync("""{"error": {"class": "GenericError", "desc": "JSON token size limit exceeded"}}""");
        var error = (await Assert.ThrowsAsync<QmpCommandException>(() => first))!;
        Assert.That(error.Description, Is.EqualTo("JSON token size limit exceeded"));
        Assert.That(second.IsCompleted, Is.False);
        await server.ReplyAsync(request, "{}");
        await second;
    }

    [Test]
    public async Task AnUnknownClassOfErrorIsKept()
    {
        await using var server = await ScriptedServer.StartAsync();
        var call = server.Client.ExecuteAsync("fails");
        var request = await server.ReceiveAsync();
        await server.SendAsync($$$"""{"id": {{{request.GetProperty("id")}}}, "error": {"class": "NewClass", "desc": "no"}}""");
        var error = (await Assert.ThrowsAsync<QmpCommandException>(() => call))!;
        Assert.That((error.ErrorClass, error.ClassName), Is.EqualTo((ErrorClass.GenericError, "NewClass")));
    }

    [Test]
    public async Task ACallInFlightFailsWithTheConnection()
    {
        await using var server = await ScriptedServer.StartAsync();
        var call = server.Client.ExecuteAsync("blockdev-del");
        await server.ReceiveAsync();
        await server.CloseAsync();
        var lost = (await Assert.ThrowsAsync<QmpCallInterruptedException>(() => call))!;
        Assert.That(lost.Command, Is.EqualTo("blockdev-del"));
        await Assert.CatchAsync<QmpConnectionException>(() => server.Client.ExecuteAsync("afterwards"));
        Assert.That(server.Client.State, Is.EqualTo(QmpConnectionState.Closed));
    }

    [Test]
    public async Task NoCallIsForgottenWhileTheConnectionEnds()
    {
        for (var round = 0; round < 50; round++)
        {
            await using var server = await ScriptedServer.StartAsync();
            var calls = Task.Run(async () =>
            {
                while (true)
                {
                    await server.Client.ExecuteAsync("anything", call: new QmpCallOptions { Timeout = TimeSpan.FromSeconds(30) });
                }
            });
            await server.ReplyAsync(await server.ReceiveAsync(), "{}");
            await server.CloseAsync();
            await Assert.CatchAsync<QmpConnectionException>(() => calls);
        }
    }

    [TestCase("hello")]
    [TestCase("[1]")]
    [TestCase("""{"neither": 1}""")]
    [TestCase("""{"event": 5}""")]
    [TestCase("""{"a": 1, "a": 2}""")]
    public async Task WhatIsNotQmpEndsTheConnection(string line)
    {
        await using var server = await ScriptedServer.StartAsync();
        var call = server.Client.ExecuteAsync("anything");
        await server.ReceiveAsync();
        await server.SendAsync(line);
        var lost = (await Assert.ThrowsAsync<QmpCallInterruptedException>(() => call))!;
        Assert.That(lost.InnerException, Is.InstanceOf<QmpProtocolException>());
    }

    [Test]
    public async Task AServerThatDoesNotGreetIsGivenUp()
    {
        var (client, _) = Nerdbank.Streams.FullDuplexStream.CreatePipePair();
        var failed = (await Assert.ThrowsAsync<QmpConnectionException>(
            () => QmpClient.ConnectAsync(QmpEndpoint.Pipe(client), new QmpClientOptions { ConnectTimeout = TimeSpan.FromMilliseconds(50) })))!;
        Assert.That(failed.Message, Does.Contain("no answer within 0.1 s").Or.Contains("no answer within 0 s"));
    }

    [Test]
    public async Task ADisposedClientSaysSo()
    {
        var server = await ScriptedServer.StartAsync();
        var events = server.Client.Subscribe();
        await server.DisposeAsync();
        var closed = (await Assert.ThrowsAsync<QmpConnectionException>(() => server.Client.ExecuteAsync("late")))!;
        Assert.That(closed.Message, Is.EqualTo("the client is closed"));
        Assert.That(await events.ToListAsync(), Is.Empty);
    }

    /// <summary>Calls from many threads get each their own answer.</summary>
    [Test]
    public async Task ManyThreadsCallAtOnce()
    {
        await using var server = await ScriptedServer.StartAsync();
        var serving = Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                var request = await server.ReceiveAsync();
                await server.ReplyAsync(request, request.GetProperty("arguments").GetProperty("n").GetRawText());
            }
        });
        var answers = await Task.WhenAll(Enumerable.Range(0, 500).Select(n => Task.Run(async () =>
            (await server.Client.ExecuteAsync("echo", new System.Text.Json.Nodes.JsonObject { ["n"] = n })).GetInt32() == n)));
        await serving;
        Assert.That(answers, Is.All.True);
    }
}
