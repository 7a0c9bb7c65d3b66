using Qmp.Sessions;
using Qmp.Testing;
using Qmp.Testing.Sessions;

namespace Qmp.Tool.Tests.Sessions;

/// <summary><c>qmp replay</c> and <c>qmp compare</c> with running daemons.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class ReplayTests
{
    private const string Session = """
        # title: a node
        <- {"QMP": {"version": "$VERSION", "capabilities": ["oob"]}}
        -> {"execute": "qmp_capabilities"}
        <- {"return": {}}
        -> {"execute": "blockdev-add", "arguments": {"driver": "null-co", "node-name": "n", "size": 4096}}
        <- {"return": {}}
        -> {"execute": "blockdev-del", "arguments": {"node-name": "other"}}
        <- {"error": {"class": "GenericError", "desc": "Failed to find node with node-name='other'"}}
        """;

    private static IEnumerable<TestCaseData> Recordings() =>
        Directory.GetFiles(Repository.PathOf("tests", "sessions"), "*.qmp").Order(StringComparer.Ordinal)
        .Select(path => new TestCaseData(path).SetArgDisplayNames(Path.GetFileNameWithoutExtension(path)));

    [TestCaseSource(nameof(Recordings))]
    public async Task EveryRecordingAgreesWithQmpd(string path)
    {
        using var folder = new WorkFolder();
        await using Daemon daemon = await SessionReplayer.StartAsync(DaemonProgram.Qmpd, SessionFile.Load(path), folder.Path);
        ToolResult result = await Tool.RunAsync(folder, "replay", path, "qmp.sock", "--run");
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
        Assert.That(result.Output, Does.StartWith("ok "));
    }

    [Test]
    public async Task ADifferenceIsShownWithItsLine()
    {
        using var folder = new WorkFolder();
        File.WriteAllText(folder.File("s.qmp"), Session.Replace("='other'", "='else'"));
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        ToolResult result = await Tool.RunAsync(folder, "replay", "s.qmp", "qmp.sock");
        Assert.That(result.ExitCode, Is.EqualTo(4));
        Assert.That(result.Output, Does.StartWith("s.qmp:8: the reply differs from character 82 on\n").And.EndsWith("1 difference\n"));
        Assert.That(result.Output, Does.Contain("expected {\"error\": {\"class\": \"GenericError\", \"desc\": \"Failed to find node with node-name='else'\"}}\n"));
        Assert.That(result.Output, Does.Contain("received {\"error\": {\"class\": \"GenericError\", \"desc\": \"Failed to find node with node-name='other'\"}}\n"));
        Assert.That(result.Output, Does.Not.Contain('\e'), "no colours in a pipe");
    }

    [Test]
    public async Task DifferencesAsJson()
    {
        using var folder = new WorkFolder();
        File.WriteAllText(folder.File("s.qmp"), Session.Replace("='other'", "='else'"));
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        ToolResult result = await Tool.RunAsync(folder, "replay", "s.qmp", "qmp.sock", "--json");
        using var json = System.Text.Json.JsonDocument.Parse(result.Output);
        Assert.That(json.RootElement.GetProperty("agrees").GetBoolean(), Is.False);
        Assert.That(json.RootElement.GetProperty("differences")[0].GetProperty("line").GetInt32(), Is.EqualTo(8));
    }

    [Test]
    public async Task AMemberMayBeAnything()
    {
        using var folder = new WorkFolder();
        File.WriteAllText(folder.File("s.qmp"), Session.Replace("='other'", "='else'"));
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        ToolResult result = await Tool.RunAsync(folder, "replay", "s.qmp", "qmp.sock", "--any", "desc");
        Assert.That(result.ExitCode, Is.Zero, result.Output);
    }

    [Test]
    public async Task TwoDaemonsAreCompared()
    {
        using var folder = new WorkFolder();
        using var other = new WorkFolder();
        File.WriteAllText(folder.File("s.qmp"), Session.Replace("<- {\"return\": {}}", "<- whatever"));
        await using Daemon ours = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        await using Daemon peer = await Daemon.StartWithMonitorAsync(DaemonProgram.Peer!, other.Path);
        ToolResult same = await Tool.RunAsync(folder, "compare", "s.qmp", "qmp.sock", other.File("qmp.sock"));
        Assert.That(same.ExitCode, Is.Zero, same.Output + same.Error);

        // Now both know the node "n" but only one of them "other".
        await using (QmpLineClient client = await peer.ConnectAsync())
        {
            await client.ExecuteAsync("blockdev-add", """{"driver": "null-co", "node-name": "other"}""");
        }

        ToolResult differs = await Tool.RunAsync(folder, "compare", "s.qmp", "qmp.sock", other.File("qmp.sock"));
        Assert.That(differs.ExitCode, Is.EqualTo(4), differs.Error);
        Assert.That(differs.Output, Does.Contain("s.qmp:7: the reply differs"));
    }

    [Test]
    public async Task CommandsRunOnlyWhenAllowed()
    {
        using var folder = new WorkFolder();
        File.WriteAllText(folder.File("s.qmp"), "! touch made\n? 0\n");
        ToolResult result = await Tool.RunAsync(folder, "replay", "s.qmp", "qmp.sock");
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Is.EqualTo("qmp: s.qmp:1: the file runs shell commands, which takes --run\n"));
        Assert.That(File.Exists(folder.File("made")), Is.False);
    }

    [Test]
    public async Task NobodyListens()
    {
        using var folder = new WorkFolder();
        File.WriteAllText(folder.File("s.qmp"), Session);
        ToolResult result = await Tool.RunAsync(folder, "replay", "s.qmp", "qmp.sock");
        Assert.That(result.ExitCode, Is.EqualTo(3));
        Assert.That(result.Error, Is.EqualTo("qmp: cannot connect to qmp.sock: no such socket\n"));
    }

    [TestCase("<- {}\nwhat\n", "s.qmp:2: not a line of a session: what")]
    [TestCase("=> {}\n", "s.qmp:1: after '=>' stands a JSON string of characters up to \\u00FF")]
    [TestCase("=> \"\\u0100\"\n", "s.qmp:1: after '=>' stands a JSON string of characters up to \\u00FF")]
    [TestCase("99999999999999-> {}\n", "s.qmp:1: a connection's number is 1 to 1000")]
    [TestCase("-+ elsewhere\n", "s.qmp:1: after '-+' stands socket, pipe, memory, or 'r ', 'w ' or 'rw ' and a path")]
    [TestCase("! true\n? much\n", "s.qmp:2: after '?' stands an exit status")]
    [TestCase("| text\n", "s.qmp:1: no command before this line")]
    public async Task ABadRecordingIsRefusedWithItsPlace(string text, string message)
    {
        using var folder = new WorkFolder();
        File.WriteAllText(folder.File("s.qmp"), text);
        ToolResult result = await Tool.RunAsync(folder, "replay", "s.qmp", "qmp.sock");
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((2, $"qmp: {message}\n")));
    }

    [Test]
    public async Task AnEndlessRecordingIsRefused()
    {
        using var folder = new WorkFolder();
        ToolResult result = await Tool.RunAsync(folder, "replay", "/dev/zero", "qmp.sock");
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((2, "qmp: /dev/zero:1: a line of more than 67108864 bytes\n")));
    }

    [Test]
    public async Task UsageErrors()
    {
        using var folder = new WorkFolder();
        Assert.That((await Tool.RunAsync(folder, "replay", "s.qmp")).ExitCode, Is.EqualTo(2));
        Assert.That((await Tool.RunAsync(folder, "replay", "s.qmp", "tcp:localhost:many")).ExitCode, Is.EqualTo(2));
        ToolResult help = await Tool.RunAsync(folder, "replay", "--help");
        Assert.That(help.ExitCode, Is.Zero);
        Assert.That(help.Output, Does.Contain("--dir <FOLDER>"));
    }
}
