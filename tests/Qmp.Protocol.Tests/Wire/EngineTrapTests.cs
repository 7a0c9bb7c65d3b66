using System.Diagnostics.Tracing;
using System.Text;
using Qmp.Protocol.Wire;

namespace Qmp.Protocol.Tests.Wire;

/// <summary>One test per trap of StreamJsonRpc: they are what lets the package be updated without fear. The traps are
/// listed in README.md of the project.</summary>
[TestFixture]
[Parallelizable(ParallelScope.All)]
public sealed class EngineTrapTests
{
    [TestCase("nope")]
    [TestCase("$/cancelRequest")]
    [TestCase("$/progress")]
    [TestCase("rpc.discover")]
    [TestCase(QmpRequest.ConstantMethod)]
    public async Task NoNameFromTheWireReachesWhatTheEngineHasRegistered(string name)
    {
        await using var server = await new WireServer().StartAsync();
        await server.SendAsync($$"""{"execute":"{{name}}","id":1}""");
        Assert.That(await server.LineAsync(), Is.EqualTo(
            $$$"""{"id": 1, "error": {"class": "CommandNotFound", "desc": "The command {{{name}}} has not been found"}}"""));
    }

    [Test]
    public async Task WhatIsSentBeforeTheClientSpeaksLeavesAtOnce()
    {
        await using var server = new WireServer();
        await server.Scheduler.RunAsync(() => server.Handler.Send("greeting"u8));
        await server.StartAsync(negotiate: false);
        Assert.That(await server.LineAsync(), Is.EqualTo("greeting"));
    }

    [Test]
    public async Task AMessageWithoutAMethodIsAnsweredAndTheConnectionLives()
    {
        await using var server = await new WireServer().StartAsync();
        await server.SendAsync("""{"jsonrpc":"2.0","id":4}{"id":5}{"execute":"now"}""");
        Assert.That(await server.LineAsync(), Does.Contain("QMP input member 'jsonrpc' is unexpected"));
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"id": 5, "error": {"class": "GenericError", "desc": "QMP input lacks member 'execute'"}}"""));
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "now"}"""));
    }

    [Test]
    public async Task AFloodingClientDoesNotOwnTheLoop()
    {
        await using var server = new WireServer();
        var count = 0;
        var countWhenOthersRan = -1;
        server.Commands.Add("count", (_, _) =>
        {
            if (count++ == 0)
            {
                server.Scheduler.Post(_ => countWhenOthersRan = count, null);
            }

            return default;
        });
        await server.SendAsync("""{"execute":"qmp_capabilities"}""" + string.Concat(Enumerable.Repeat("""{"execute":"count"}""", 1000)));
        await server.StartAsync(negotiate: false);
        for (var i = 0; i < 1001; i++)
        {
            Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": {}}"""));
        }

        Assert.That(countWhenOthersRan, Is.InRange(1, 100), "commands before another callback of the loop got its turn");
    }

    [Test]
    public async Task CommandsThatArriveTogetherAreOneDispatch()
    {
        await using var server = new WireServer();
        var allocated = new List<long>();
        server.Commands.Add("count", (_, _) =>
        {
            allocated.Add(GC.GetAllocatedBytesForCurrentThread());
            return default;
        });
        allocated.EnsureCapacity(60);
        await server.SendAsync("""{"execute":"qmp_capabilities"}""" + string.Concat(Enumerable.Repeat("""{"execute":"count","id":1}""", 60)));
        await server.StartAsync(negotiate: false);
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": {}}"""));
        for (var i = 0; i < 60; i++)
        {
            Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": {}, "id": 1}"""));
        }

        // The engine allocates for each request that it sees, a few hundred bytes; the table of this test one string.
        Assert.That((allocated[50] - allocated[20]) / 30, Is.LessThan(150), "bytes per command");
    }

    [Test]
    public async Task AQueuedCommandOwnsItsArguments()
    {
        await using var server = await new WireServer().StartAsync(oob: true);
        await server.SendAsync("""{"execute":"hold"}{"execute":"echo","arguments":{"text":"first"}}{"execute":"echo","arguments":{"text":"other"}}""");
        await server.Held.WaitAsync(WireServer.Patience);

        // The read buffer is used again for these.
        await server.SendAsync(string.Concat(Enumerable.Repeat("{\"exec-oob\":\"now\",\"arguments\":{}}", 50)));
        for (var i = 0; i < 50; i++)
        {
            Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "now"}"""));
        }

        server.Release.SetResult();
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "held"}"""));
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "first"}"""));
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "other"}"""));
    }

    [TestCase(7, true)]
    [TestCase(8, false)]
    public async Task BehindEightWaitingRequestsNothingIsRead(int waiting, bool overtakes)
    {
        await using var server = await new WireServer().StartAsync(oob: true);
        await server.SendAsync("""{"execute":"hold"}""" + string.Concat(Enumerable.Repeat("""{"execute":"echo","arguments":{"text":"x"}}""", waiting))
            + """{"exec-oob":"now"}""");
        await server.Held.WaitAsync(WireServer.Patience);
        await server.Scheduler.RunAsync(() => { }); // the turn in which all of it is read is over
        server.Release.TrySetResult();
        var first = await server.LineAsync();

        // What cannot be read yet cannot overtake.
        Assert.That(first, Is.EqualTo(overtakes ? """{"return": "now"}""" : """{"return": "held"}"""));
    }

    [Test]
    public async Task WithoutOobOneRequestAtATimeIsRead()
    {
        await using var server = await new WireServer().StartAsync();
        await server.SendAsync("""{"execute":"hold"}{"execute":"echo","arguments":{"text":"x"}}""");
        await server.Held.WaitAsync(WireServer.Patience);
        await server.Scheduler.RunAsync(() => { });
        Assert.That(server.Calls, Is.Zero);
        server.Release.SetResult();
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "held"}"""));
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "x"}"""));
    }

    [Test]
    public async Task GarbageIsAnsweredInItsTurnAndNeverCloses()
    {
        await using var server = await new WireServer().StartAsync(oob: true);
        await server.SendAsync("{\"execute\":\"hold\",\"id\":1}\n@\n{\"execute\":\"now\",\"id\":2}\n");
        await server.Held.WaitAsync(WireServer.Patience);
        server.Release.SetResult();
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "held", "id": 1}"""));
        Assert.That(await server.LineAsync(), Does.EndWith("""JSON parse error, stray '@'"}}"""));
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "now", "id": 2}"""));
    }

    [Test]
    public async Task TheNextCommandStartsWhenTheReplyStandsInTheQueue()
    {
        await using var server = new WireServer();
        server.Commands.Add("tell", (_, context) =>
        {
            context.EmitEvent(new QmpEvent("EVENT"));
            return default;
        });
        await server.StartAsync(oob: true);
        await server.SendAsync("""{"execute":"hold"}{"execute":"tell","id":2}{"execute":"tell","id":3}""");
        await server.Held.WaitAsync(WireServer.Patience);
        server.Release.SetResult();
        string?[] lines = [await server.LineAsync(), await server.LineAsync(), await server.LineAsync(), await server.LineAsync(), await server.LineAsync()];
        Assert.That(lines, Is.EqualTo(new[]
        {
            """{"return": "held"}""", "EVENT", """{"return": {}, "id": 2}""", "EVENT", """{"return": {}, "id": 3}""",
        }));
    }

    [Test]
    public async Task RepliesAreWrittenOnTheLoopAlsoWhenTheCommandTookItsTime()
    {
        await using var server = new WireServer();
        bool? onLoop = null;
        server.Commands.Add("late", async (_, _) =>
        {
            await Task.Yield();
            await server.Release.Task;
            return new TestResult(writer =>
            {
                onLoop = server.Scheduler.IsCurrent;
                writer.Null();
            });
        });
        await server.StartAsync();
        await server.SendAsync("""{"execute":"late"}""");
        server.Release.SetResult();
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": null}"""));
        Assert.That(onLoop, Is.True);
    }

    [Test]
    public async Task AThousandPipelinedCommandsOfAClientThatDoesNotReadStopThatClientOnly()
    {
        await using var server = await new WireServer(outputPipeBytes: 4096).StartAsync();
        await using var other = await new WireServer().StartAsync();
        var text = new string('x', 8192);
        await server.SendAsync(string.Concat(Enumerable.Range(0, 1000).Select(i => $$$"""{"execute":"echo","arguments":{"text":"{{{text}}}"},"id":{{{i}}}}""")));
        await other.SendAsync("""{"execute":"now"}""");
        Assert.That(await other.LineAsync(), Is.EqualTo("""{"return": "now"}"""));

        // Let it go as far as it goes: the loop runs this only between two turns.
        var calls = -1;
        while (calls != server.Calls)
        {
            calls = server.Calls;
            await server.Scheduler.RunAsync(() => { });
        }

        Assert.That(calls, Is.InRange(1, (QmpMessageHandler.OutputPause / text.Length) + 70), "commands executed ahead of a client that does not read");
        for (var i = 0; i < 1000; i++)
        {
            Assert.That(await server.LineAsync(), Does.EndWith($"\"id\": {i}}}"));
        }
    }

    [Test]
    public async Task EventsForAClientThatDoesNotReadAreBounded()
    {
        await using var server = await new WireServer(outputPipeBytes: 4096).StartAsync();
        var overflowed = 0;
        server.Handler.Overflowed = () => overflowed++;
        var line = new byte[1 << 20];
        await server.Scheduler.RunAsync(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                server.Handler.Send(line);
            }
        });
        Assert.That(overflowed, Is.EqualTo(1));
        Assert.That(server.Handler.QueuedOutputBytes, Is.LessThanOrEqualTo(QmpMessageHandler.OutputLimit));
    }

    [TestCase("0", "0")]
    [TestCase("-1", "-1")]
    [TestCase("\"s\"", "\"s\"")]
    [TestCase("null", "null")]
    [TestCase("{}", "{}")]
    [TestCase("[1, {\"a\": [null]}]", "[1, {\"a\": [null]}]")]
    [TestCase("{\"b\": 1, \"a\": 2}", "{\"a\": 2, \"b\": 1}")]
    [TestCase("18446744073709551615", "18446744073709551615")]
    [TestCase("1.5", "1.5")]
    public async Task AnIdIsAnyValueAndComesBack(string id, string back)
    {
        await using var server = await new WireServer().StartAsync();
        await server.SendAsync($$"""{"execute":"now","id":{{id}}}""");
        Assert.That(await server.LineAsync(), Is.EqualTo($$"""{"return": "now", "id": {{back}}}"""));
    }

    [Test]
    public async Task ARequestWithoutAnIdIsNoNotification()
    {
        await using var server = await new WireServer().StartAsync();
        await server.SendAsync("""{"execute":"now"}""");
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "now"}"""));
    }

    [Test]
    public async Task WhatAnExceptionSaysStaysInTheLog()
    {
        await using var server = new WireServer();
        server.Commands.Add("fail", (_, _) => throw new InvalidOperationException("secret"));
        server.Commands.Add("fail-later", async (_, _) =>
        {
            await Task.Yield();
            throw new InvalidOperationException("secret");
        });
        server.Commands.Add("fail-writing", (_, _) => new(new TestResult(w =>
        {
            w.BeginObject();
            throw new InvalidOperationException("secret");
        })));
        await server.StartAsync();
        await server.SendAsync("""{"execute":"fail","id":1}{"execute":"fail-later","id":2}{"execute":"fail-writing","id":3}{"execute":"now","id":4}""");
        for (var i = 1; i <= 3; i++)
        {
            Assert.That(await server.LineAsync(), Is.EqualTo($$$"""{"id": {{{i}}}, "error": {"class": "GenericError", "desc": "internal error"}}"""));
        }

        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "now", "id": 4}"""));
        Assert.That(server.Log, Is.EqualTo(new[] { "fail: secret", "fail-later: secret" }));
    }

    [Test]
    public async Task TracingOfTheEngineSeesNoArguments()
    {
        using var listener = new Listener();
        await using var server = await new WireServer().StartAsync();
        await server.SendAsync("""{"execute":"echo","arguments":{"text":"hunter2"}}""");
        Assert.That(await server.LineAsync(), Does.Contain("hunter2"));
        Assert.That(listener.Text, Does.Contain("qmp"), "the engine traces");
        Assert.That(listener.Text, Does.Not.Contain("hunter2"));
    }

    [Test]
    public async Task ACommandThatStartedFinishesWhenItsClientHasGone()
    {
        await using var server = await new WireServer().StartAsync();
        await server.SendAsync("""{"execute":"hold"}""");
        await server.Held.WaitAsync(WireServer.Patience);
        server.Disconnect();
        server.Release.SetResult();
        await server.Finished.Task.WaitAsync(WireServer.Patience);
        await server.Rpc.Completion.WaitAsync(WireServer.Patience);
    }

    [Test]
    public async Task NothingFollowsACommandThatEndsItsOwnConnection()
    {
        await using var server = await new WireServer().StartAsync(oob: true);
        server.Commands.Add("leave", (_, _) =>
        {
            server.Handler.Dispose();
            return default;
        });
        await server.SendAsync("""{"execute":"hold"}{"execute":"leave"}{"execute":"echo","arguments":{"text":"too late"}}{"exec-oob":"now"}""");
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "now"}"""), "all has been read");
        server.Release.SetResult();
        await server.Rpc.Completion.WaitAsync(WireServer.Patience);
        Assert.That(server.Calls, Is.Zero);
    }

    [Test]
    public async Task AClientThatEndsItsSideGetsItsRepliesAndThenTheEnd()
    {
        await using var server = await new WireServer().StartAsync();
        await server.SendAsync("""{"execute":"hold"}{"execute":"now"}{"exec""");
        server.EndSending();
        await server.Held.WaitAsync(WireServer.Patience);
        server.Release.SetResult();
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "held"}"""));
        Assert.That(await server.LineAsync(), Is.EqualTo("""{"return": "now"}"""));
        Assert.That(await server.LineAsync(), Is.Null);
    }

    private sealed class Listener : EventListener
    {
        private readonly StringBuilder _text = new();

        public string Text
        {
            get
            {
                lock (_text)
                {
                    return _text.ToString();
                }
            }
        }

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name.Contains("StreamJsonRpc", StringComparison.Ordinal))
            {
                EnableEvents(eventSource, EventLevel.Verbose, EventKeywords.All);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            lock (_text)
            {
                _text.AppendJoin(' ', eventData.Payload ?? Enumerable.Empty<object?>()).AppendLine();
            }
        }
    }
}
