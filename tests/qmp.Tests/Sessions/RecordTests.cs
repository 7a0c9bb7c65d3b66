using Qmp.Testing;

namespace Qmp.Tool.Tests.Sessions;

/// <summary><c>qmp record</c> between a client and a daemon, and what it wrote played to either side.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class RecordTests
{
    [Test]
    public async Task WhatWasRecordedAgreesWithAFreshDaemon()
    {
        using var folder = new WorkFolder();
        await using (Daemon daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Peer!, folder.Path))
        {
            var recording = Tool.Start(folder, "record", "qmp.sock", folder.File("l.sock"), "s.qmp", "--once", "--title", "a node");
            await Tool.WaitForSocketAsync(recording, folder, "l.sock");
            await using (QmpLineClient client = await QmpLineClient.ConnectAsync(folder.File("l.sock")))
            {
                await client.NegotiateAsync();
                await client.ExecuteAsync("blockdev-add", """{"driver": "raw", "node-name": "top", "file": {"driver": "null-co", "size": 4096}}""");
                await client.ExecuteAsync("query-named-block-nodes", """{"flat": true}""");
                await client.SendLineAsync("{\"execute\": 'x'}");
                await client.ReadLineAsync();
            }

            ToolResult result = await Tool.EndAsync(recording);
            Assert.That(result.ExitCode, Is.Zero, result.Error);
        }

        string text = File.ReadAllText(folder.File("s.qmp"));
        Assert.That(text, Does.StartWith("# title: a node\n\n<- {\"QMP\": {\"version\": \"$VERSION\", \"capabilities\": [\"oob\"]}}\n-> {\"execute\": \"qmp_capabilities\"}\n"));
        Assert.That(text, Does.Contain("\"node-name\": \"$NODE1\"").And.Contain("\n=> \"{\\\"execute\\\": 'x'}\\r\\n\"\n").And.EndsWith("\n-x\n"));

        await using Daemon fresh = await Daemon.StartWithMonitorAsync(DaemonProgram.Peer!, folder.Path);
        ToolResult replayed = await Tool.RunAsync(folder, "replay", "s.qmp", "qmp.sock");
        Assert.That(replayed.ExitCode, Is.Zero, replayed.Output + replayed.Error);
    }

    /// <summary>The client under test has its own ids and its own order of members.</summary>
    [Test]
    public async Task ARecordingServesAClient()
    {
        using var folder = new WorkFolder();
        File.WriteAllText(folder.File("s.qmp"), """
            <- {"QMP": {"version": "$VERSION", "capabilities": ["oob"]}}
            -> {"execute": "qmp_capabilities"}
            <- {"return": {}}
            -> {"execute": "job-cancel", "arguments": {"id": "j", "force": true}, "id": 1}
            <- {"timestamp": "$TIMESTAMP", "event": "E", "data": {"node": "$NODE1"}}
            <- {"return": {}, "id": 1}
            -> {"execute": "quit"}
            <- {"error": {"class": "GenericError", "desc": "no"}}
            """);
        var serving = Tool.Start(folder, "serve", "s.qmp", folder.File("l.sock"), "--timeout", "60");
        await Tool.WaitForSocketAsync(serving, folder, "l.sock");
        await using QmpLineClient client = await QmpLineClient.ConnectAsync(folder.File("l.sock"));
        await client.NegotiateAsync();
        await client.SendLineAsync("""{"id": "mine", "arguments": {"force": true, "id": "j"}, "execute": "job-cancel"}""");
        Assert.That(await client.ReadLineAsync(), Does.Match("""^\{"timestamp": \{"seconds": \d+, "microseconds": \d+\}, "event": "E", "data": \{"node": "#block\d+"\}\}$"""));
        Assert.That(await client.ReadLineAsync(), Is.EqualTo("""{"return": {}, "id": "mine"}"""));
        await client.SendLineAsync("""{"execute": "stop", "id": 7}""");
        Assert.That(await client.ReadLineAsync(), Is.EqualTo("""{"error":{"class":"GenericError","desc":"s.qmp:7: the recording has something else here"}, "id": 7}"""));
        ToolResult result = await Tool.EndAsync(serving);
        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Output, Does.StartWith("s.qmp:7: the client says something else\n").And.Contain("""received {"execute": "stop", "id": 7}"""));
        Assert.That(File.Exists(folder.File("l.sock")), Is.False);
    }

    [Test]
    public async Task AnExistingFileIsKept()
    {
        using var folder = new WorkFolder();
        File.WriteAllText(folder.File("s.qmp"), "precious");
        ToolResult result = await Tool.RunAsync(folder, "record", "qmp.sock", "l.sock", "s.qmp");
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(File.ReadAllText(folder.File("s.qmp")), Is.EqualTo("precious"));
    }
}
