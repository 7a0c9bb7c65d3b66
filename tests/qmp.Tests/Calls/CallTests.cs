using Qmp.Testing;

namespace Qmp.Tool.Tests.Calls;

/// <summary><c>qmp exec</c> and <c>qmp events</c> against both daemons.</summary>
[TestFixture]
public sealed class CallTests
{
    private static IEnumerable<DaemonProgram> Daemons() => [DaemonProgram.Qmpd, DaemonProgram.Peer!];

    [TestCaseSource(nameof(Daemons))]
    public async Task Values_get_the_types_that_the_server_knows(DaemonProgram program)
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(program, folder.Path);
        await File.WriteAllBytesAsync(folder.File("1234"), new byte[65536]);
        var added = await Tool.RunAsync(folder, "exec", "qmp.sock", "blockdev-add",
            "driver=raw", "node-name=r", "size=4096", "read-only=on", "file.driver=file", $"file.filename={folder.File("1234")}");
        Assert.That((added.ExitCode, added.Output, added.Error), Is.EqualTo((0, "", "")));
        var nodes = await Tool.RunAsync(folder, "exec", "--json", "qmp.sock", "query-named-block-nodes", "flat=true");
        Assert.That(nodes.ExitCode, Is.Zero, nodes.Error);
        Assert.That(nodes.Output, Does.StartWith("{\"return\":[{").And.Contain("\"virtual-size\":4096").And.EndWith("]}\n"));
    }

    [Test]
    public async Task Nested_names_and_json_mean_the_same()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        var json = await Tool.RunAsync(folder, "exec", "qmp.sock", "blockdev-add", """{"driver": "null-co", "node-name": "a", "size": 4096}""");
        Assert.That(json.ExitCode, Is.Zero, json.Error);
        var reply = await Tool.RunAsync(folder, "exec", "qmp.sock", "query-version");
        Assert.That(reply.Output, Does.Contain("\n  \"package\": \"qmpd-"));
    }

    [TestCase(1, "GenericError: Cannot find device='' nor node-name='no'", "block_resize", "node-name=no", "size=512")]
    [TestCase(1, "CommandNotFound: The command nonsense has not been found", "nonsense")]
    [TestCase(2, "'size' is an integer, not 'big'", "block_resize", "node-name=no", "size=big")]
    [TestCase(2, "'=3' is not key=value", "block_resize", "=3")]
    [TestCase(2, "'size' is there twice", "block_resize", "size=1", "size=2")]
    public async Task Failures_have_a_status_and_a_line(int status, string error, params string[] words)
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        var result = await Tool.RunAsync(folder, ["exec", "qmp.sock", .. words]);
        Assert.That((result.ExitCode, result.Output, result.Error), Is.EqualTo((status, "", $"qmp: {error}\n")));
    }

    [Test]
    public async Task Without_a_server_the_status_is_three()
    {
        using var folder = new WorkFolder();
        var result = await Tool.RunAsync(folder, "exec", "none.sock", "query-version");
        Assert.That(result.ExitCode, Is.EqualTo(3));
        Assert.That(result.Error, Does.StartWith("qmp: cannot talk to none.sock"));
    }

    [Test]
    public async Task An_error_is_json_where_json_is_wanted()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        var result = await Tool.RunAsync(folder, "exec", "--json", "qmp.sock", "nonsense");
        Assert.That((result.ExitCode, result.Output), Is.EqualTo((1,
            """{"error":{"class":"CommandNotFound","desc":"The command nonsense has not been found"}}""" + "\n")));
    }

    [Test]
    public async Task Events_are_printed_as_they_come_and_filtered()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        using var events = Tool.Start(folder, "events", "qmp.sock", "--json", "--filter", "BLOCK_DRAIN*", "--count", "1");

        // Until the program listens, sections end unheard: begin them until one is heard.
        var heard = Tool.EndAsync(events);
        while (!heard.IsCompleted)
        {
            await using (QmpLineClient client = await daemon.ConnectAsync())
            {
                await client.ExecuteAsync("block-drain-begin", """{"id": "d"}""");
            }

            await Task.WhenAny(heard, Task.Delay(20));
        }

        var result = await heard;
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Does.StartWith("""{"event":"BLOCK_DRAIN_ENDED","data":{"reason":"disconnected","id":"d"},"timestamp":""" + "\""));
    }

    [TestCase("--html", "<!DOCTYPE html>")]
    [TestCase("--man", ".TH ")]
    public async Task The_manual_is_in_the_program(string kind, string expected)
    {
        using var folder = new WorkFolder();
        var result = await Tool.RunAsync(folder, "manual", kind, "out");
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((0, "")));
        // The manual page writes every hyphen with a backslash.
        var text = (await File.ReadAllTextAsync(folder.File("out"))).Replace("\\-", "-");
        Assert.That(text, Does.Contain(expected).And.Contain("block-drain-begin"));
    }

    [Test]
    public async Task A_manual_that_cannot_be_written_is_a_usage_error()
    {
        using var folder = new WorkFolder();
        var result = await Tool.RunAsync(folder, "manual", "missing/out");
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Does.StartWith("qmp: cannot write missing/out: "));
    }

    [Test]
    public async Task An_abstract_name_may_begin_with_an_at_sign()
    {
        using var folder = new WorkFolder();
        string name = $"@{Guid.NewGuid():N}";
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path,
            "--chardev", $"socket,id=c,path={name},abstract=on,server=on,wait=off", "--monitor", "c");
        await using (await daemon.ConnectAsync())
        {
            // Everything on the command line is there when the first monitor answers.
        }

        var result = await Tool.RunAsync(folder, "exec", "@" + name, "query-block-exports");
        Assert.That((result.ExitCode, result.Output, result.Error), Is.EqualTo((0, "[]\n", "")));
    }
}
