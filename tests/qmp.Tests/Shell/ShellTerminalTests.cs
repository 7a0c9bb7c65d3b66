using Qmp.Testing;

namespace Qmp.Tool.Tests.Shell;

/// <summary><c>qmp shell</c> in a terminal.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class ShellTerminalTests
{
    private static IEnumerable<DaemonProgram> Daemons() => [DaemonProgram.Qmpd, DaemonProgram.Peer!];

    [TestCaseSource(nameof(Daemons))]
    public async Task TabCompletesCommandsArgumentsAndValues(DaemonProgram program)
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(program, folder.Path);
        await using var terminal = await TerminalEmulator.StartAsync(folder, "shell qmp.sock");
        await terminal.WaitForLastLineAsync("qmp>");
        await terminal.PressAsync("query-nam", "Tab");
        await terminal.WaitForLastLineAsync("qmp> query-named-block-nodes");
        await terminal.PressAsync("fl", "Tab", "on", "C-u");
        await terminal.WaitForLastLineAsync("qmp>");
        await terminal.PressAsync("blockdev-add driver=ra", "Tab");
        await terminal.WaitForAsync(screen => screen.EndsWith("driver=raw", StringComparison.Ordinal), "the value");
        await terminal.PressAsync("node-name=r fi", "Tab", "Tab");
        await terminal.WaitForAsync("\nfile.  file=\nqmp> blockdev-add driver=raw node-name=r file");
        await terminal.PressAsync(".dri", "Tab", "null-c", "Tab", "file.si", "Tab", "4096", "Enter");
        await terminal.WaitForAsync(screen => screen.Contains("qmp> blockdev-add driver=raw node-name=r file.driver=null-co file.size=4096\nqmp>", StringComparison.Ordinal), "the command and the next prompt");
        await using var client = await ConnectSecondAsync(daemon, program, terminal);
        Assert.That((await client.ExecuteAsync("query-named-block-nodes", """{"flat": true}""")).GetRawText(), Does.Contain("\"virtual-size\": 4096").And.Contain("\"node-name\": \"r\""));
    }

    [Test]
    public async Task HistoryComesBackInTheNextShellAndIsForTheUserAlone()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        await using (var first = await TerminalEmulator.StartAsync(folder, "shell qmp.sock"))
        {
            await first.WaitForLastLineAsync("qmp>");
            await first.PressAsync("query-block-drains", "Enter");
            await first.WaitForAsync("[]\nqmp>");
            await first.PressAsync(" query-iothreads", "Enter");
            await first.WaitForAsync("[]\nqmp>  query-iothreads\n[]\nqmp>");
            await first.PressAsync("object-add qom-type=secret id=s data=hidden", "Enter", "C-d");
            await first.WaitForAsync("exit status 0");
        }

        var file = folder.File("state/qmp/history");
        Assert.That(await File.ReadAllTextAsync(file), Is.EqualTo("query-block-drains\n"));
        Assert.That(File.GetUnixFileMode(file), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        await using var second = await TerminalEmulator.StartAsync(folder, "shell qmp.sock");
        await second.WaitForLastLineAsync("qmp>");
        await second.PressAsync("half", "Up");
        await second.WaitForLastLineAsync("qmp> query-block-drains");
        await second.PressAsync("Down");
        await second.WaitForLastLineAsync("qmp> half");
        await second.PressAsync("C-u", "drai", "C-r");
        await second.WaitForLastLineAsync("qmp> query-block-drains");
    }

    [Test]
    public async Task AnEventComesAboveTheLineThatIsTyped()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        await using var terminal = await TerminalEmulator.StartAsync(folder, "shell qmp.sock");
        await terminal.WaitForLastLineAsync("qmp>");
        await terminal.PressAsync("query-ver", "Left", "Left");
        await terminal.WaitForLastLineAsync("qmp> query-ver");
        await using (var client = await daemon.ConnectAsync())
        {
            await client.ExecuteAsync("block-drain-begin", """{"id": "d"}""");
            await client.ExecuteAsync("block-drain-end", """{"id": "d"}""");
        }

        var screen = await terminal.WaitForAsync("BLOCK_DRAIN_ENDED");
        Assert.That(screen, Does.Match("""\n\d{4}-\d\d-\d\d [\d:.]+ BLOCK_DRAIN_ENDED \{"reason":"requested","id":"d"\}\nqmp> query-ver$"""));
        // The cursor is where it was.
        await terminal.PressAsync("-");
        await terminal.WaitForLastLineAsync("qmp> query-v-er");
    }

    [Test]
    public async Task ATransactionIsTypedStepByStep()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path, "--blockdev", "driver=null-co,node-name=disk,size=65536");
        await using var terminal = await TerminalEmulator.StartAsync(folder, "shell qmp.sock");
        await terminal.WaitForLastLineAsync("qmp>");
        await terminal.PressAsync("transaction(", "Enter");
        await terminal.WaitForLastLineAsync("...>");
        await terminal.PressAsync("block-dirty-bitmap-a", "Tab", "no", "Tab", "disk na", "Tab", "b0", "Enter");
        await terminal.WaitForAsync("...> block-dirty-bitmap-add node=disk name=b0\n...>");
        await terminal.PressAsync("block-dirty-bitmap-add node=disk name=b1", "Enter", ")", "Enter");
        await terminal.WaitForAsync("...> )\nqmp>");
        await terminal.PressAsync("transaction(", "Enter", "abort", "Enter", ")", "Enter");
        await terminal.WaitForAsync("...> )\nGenericError: Transaction aborted using Abort action\nqmp>");
        await terminal.PressAsync("transaction(", "Enter");
        await terminal.WaitForLastLineAsync("...>");
        await terminal.PressAsync("C-c");
        await terminal.WaitForLastLineAsync("qmp>");
        await using var client = await daemon.ConnectAsync();
        Assert.That((await client.ExecuteAsync("query-named-block-nodes", """{"flat": true}""")).GetRawText(), Does.Contain("\"name\": \"b0\"").And.Contain("\"name\": \"b1\""));
    }

    [Test]
    public async Task HelpTellsArgumentsAndWhatWeKnowOfThem()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        await using var terminal = await TerminalEmulator.StartAsync(folder, "shell qmp.sock");
        await terminal.WaitForLastLineAsync("qmp>");
        await terminal.PressAsync("help block_resize", "Enter");
        await terminal.WaitForAsync("""
            block_resize
              Change the size of an image. Requests are stopped meanwhile; guests learn the new size.

              device (optional)
                  string
            """);
        await terminal.PressAsync("help object-add qom-type=iothread", "Enter");
        await terminal.WaitForAsync("  poll-max-ns (optional)\n      integer\n");
    }

    [Test]
    public async Task ALongLineIsMovedSideways()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        await using var terminal = await TerminalEmulator.StartAsync(folder, "shell qmp.sock");
        await terminal.WaitForLastLineAsync("qmp>");
        await terminal.PressAsync(new string('a', 120) + "end");
        var screen = await terminal.WaitForAsync(text => text.EndsWith("end", StringComparison.Ordinal), "the end of the line");
        Assert.That(screen.Split('\n'), Has.Length.EqualTo(2));
        await terminal.PressAsync("Home", "begin");
        await terminal.WaitForAsync("\nqmp> beginaaa");
    }

    [Test]
    public async Task TheEndOfTheServerEndsTheShell()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        await using var terminal = await TerminalEmulator.StartAsync(folder, "shell qmp.sock");
        await terminal.WaitForLastLineAsync("qmp>");
        await daemon.TerminateAsync();
        await terminal.WaitForAsync("qmp: the server has closed the connection\nexit status 3");
    }

    /// <summary>The real daemon serves one client at a time: the shell has to go first.</summary>
    private static async Task<QmpLineClient> ConnectSecondAsync(Daemon daemon, DaemonProgram program, TerminalEmulator terminal)
    {
        if (program == DaemonProgram.Peer)
        {
            await terminal.PressAsync("exit", "Enter");
            await terminal.WaitForAsync("exit status 0");
        }

        return await daemon.ConnectAsync();
    }
}
