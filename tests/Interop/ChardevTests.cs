using System.Text.Json;
using Qmp.Testing;

namespace Interop;

/// <summary>Monitors on every kind of character device, made at the start and at run time, as a user meets them.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class ChardevTests
{
    private const string Greeting =
        """{"QMP": {"version": {"qemu": {"micro": 92, "minor": 0, "major": 11}, "package": "qmpd-0.1.0"}, "capabilities": ["oob"]}}""";

    private const string Nothing = """{"return": {}}""";
    private const string Negotiate = """{"execute": "qmp_capabilities"}""";
    private const string Query = """{"execute": "query-chardev"}""";
    private const string Quit = """{"execute": "quit"}""";

    [Test]
    public async Task Standard_streams_carry_a_monitor()
    {
        using var folder = new WorkFolder();
        string[] lines = await FilterAsync(folder, $"{Negotiate}{Query}{Quit}", "--chardev stdio,id=s --monitor s");
        Assert.That(lines, Is.EqualTo(new[]
        {
            Greeting, Nothing, """{"return": [{"frontend-open": true, "filename": "stdio", "label": "s"}]}""", Nothing,
        }));
    }

    [Test]
    public async Task A_log_has_all_that_was_sent_with_the_time_if_wanted()
    {
        using var folder = new WorkFolder();
        File.WriteAllText(folder.File("log"), "before\n");
        string[] lines = await FilterAsync(
            folder, $"{Negotiate}{Quit}", "--chardev stdio,id=s,logfile=log,logappend=on --monitor s");
        Assert.That(File.ReadAllText(folder.File("log")), Is.EqualTo("before\n" + string.Join("\r\n", lines) + "\r\n"));
        Assert.That(lines, Is.EqualTo(new[] { Greeting, Nothing, Nothing }));

        await FilterAsync(folder, $"{Negotiate}{Quit}", "--chardev stdio,id=s,logfile=log,logtimestamp=on --monitor s");
        string[] logged = File.ReadAllLines(folder.File("log"));
        Assert.That(logged, Has.Length.EqualTo(3));
        Assert.That(logged, Has.All.Match(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \{.*\}$"));
    }

    [Test]
    public async Task Two_monitors_share_the_standard_streams()
    {
        using var folder = new WorkFolder();

        // The last one is in focus; Ctrl-A c goes to the next, Ctrl-A Ctrl-A is the character itself.
        string[] lines = await FilterAsync(
            folder,
            $"{Negotiate}\u0001c{Query}\u0001c{Query}\u0001c\u0001\u0001{Negotiate}{Quit}",
            "--chardev stdio,id=s,mux=on --monitor s --monitor s");
        const string Devices = """{"return": [{"frontend-open": true, "filename": "stdio", "label": "s-base"}, {"frontend-open": true, "filename": "mux", "label": "s"}]}""";
        const string Early = """{"error": {"class": "CommandNotFound", "desc": "Expecting capabilities negotiation with 'qmp_capabilities'"}}""";
        const string NoJson = """{"error": {"class": "GenericError", "desc": "1:29: JSON parse error, stray '\u0001'"}}""";
        Assert.That(lines, Is.EquivalentTo(new[] { Greeting, Greeting, Nothing, Early, Devices, NoJson, Nothing, Nothing }));
    }

    [Test]
    public async Task Control_A_x_ends_the_daemon()
    {
        using var folder = new WorkFolder();
        string[] lines = await FilterAsync(folder, "\u0001h\u0001x", "--chardev stdio,id=s,mux=on --monitor s");
        Assert.That(string.Join('\n', lines), Does.StartWith(Greeting).And.Contains("C-a x").And.Contains("QEMU: Terminated"));
    }

    [Test]
    public async Task Files_carry_a_monitor()
    {
        using var folder = new WorkFolder();
        File.WriteAllText(folder.File("in"), $"{Negotiate}{Quit}");
        await FilterAsync(folder, "", "--chardev file,id=f,path=out,input-path=in --monitor f");
        Assert.That(File.ReadAllLines(folder.File("out")), Is.EqualTo(new[] { Greeting, Nothing, Nothing }));
    }

    [Test]
    public async Task A_ring_buffer_keeps_what_a_monitor_says()
    {
        using var folder = new WorkFolder();
        string[] lines = await FilterAsync(
            folder,
            Negotiate + """{"execute": "ringbuf-read", "arguments": {"device": "r", "size": 1000}}""" + Quit,
            "--chardev ringbuf,id=r,size=1k --monitor r --chardev stdio,id=s --monitor s");
        string? said = JsonDocument.Parse(lines[2]).RootElement.GetProperty("return").GetString();
        Assert.That(said, Is.EqualTo(Greeting + "\r\n"));
    }

    [TestCase("a", "a.in a.out", "a.in", "a.out")]
    public async Task Pipes_carry_a_monitor(string path, string fifos, string input, string output)
    {
        using var folder = new WorkFolder();
        await Shell.CheckAsync($"mkfifo {fifos}", folder.Path);
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(
            DaemonProgram.Qmpd, folder.Path, "--chardev", $"pipe,id=p,path={path}", "--monitor", "p");
        string said = await Shell.CheckAsync($"printf '{Negotiate}{Query}' > {input}; head -n 3 {output}", folder.Path);
        Assert.That(said.Split("\r\n")[..2], Is.EqualTo(new[] { Greeting, Nothing }));
        Assert.That(said, Does.Contain("""{"frontend-open": true, "filename": "pipe", "label": "p"}"""));
    }

    [TestCase("p")]
    [TestCase("m")]
    public async Task A_device_takes_one_monitor_after_the_other(string device)
    {
        using var folder = new WorkFolder();
        await Shell.CheckAsync("mkfifo a.in a.out", folder.Path);
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(
            DaemonProgram.Qmpd, folder.Path, "--chardev", "pipe,id=p,path=a", "--chardev", "mux,id=m,chardev=p");
        await using QmpLineClient client = await daemon.ConnectAsync();
        if (device == "p")
        {
            await client.ExecuteAsync("chardev-remove", """{"id": "m"}""");
        }

        for (int i = 0; i < 3; i++)
        {
            await client.ExecuteAsync("object-add", $$"""{"qom-type": "monitor-qmp", "id": "x", "chardev": "{{device}}"}""");
            string said = await Shell.CheckAsync($"head -n 1 a.out; printf '{Negotiate}' > a.in; head -n 1 a.out", folder.Path);
            Assert.That(said, Is.EqualTo($"{Greeting}\r\n{Nothing}\r\n"));
            await client.ExecuteAsync("object-del", """{"id": "x"}""");
        }
    }

    [Test]
    public async Task A_terminal_carries_a_monitor_again_and_again()
    {
        using var folder = new WorkFolder();
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(
            DaemonProgram.Qmpd, folder.Path, "--chardev", "pty,id=p,path=tty", "--monitor", "p");
        await daemon.WaitForLogAsync("(label p)\n");
        string terminal = new FileInfo(folder.File("tty")).LinkTarget!;
        Assert.That(daemon.Log, Is.EqualTo($"char device redirected to {terminal} (label p)\n"));
        for (int i = 0; i < 2; i++)
        {
            // One program opens the terminal, talks, and goes.
            string said = await Shell.CheckAsync(
                $"exec 3<>tty; head -n 1 <&3; printf '{Negotiate}{Query}' >&3; head -n 2 <&3", folder.Path);
            Assert.That(said.Split("\r\n")[..2], Is.EqualTo(new[] { Greeting, Nothing }));
            Assert.That(said, Does.Contain($$"""{"frontend-open": true, "filename": "pty:{{terminal}}", "label": "p"}"""));
        }

        Assert.That(await daemon.TerminateAsync(), Is.Zero);
        Assert.That(new FileInfo(folder.File("tty")).LinkTarget, Is.Null);
    }

    [Test]
    public async Task A_monitor_is_made_at_run_time_and_removed()
    {
        using var folder = new WorkFolder();
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        await using QmpLineClient first = await daemon.ConnectAsync();
        await AddSocketAsync(first, folder);
        await first.ExecuteAsync("object-add", """{"qom-type": "monitor-qmp", "id": "m", "chardev": "c", "pretty": true}""");
        await using QmpLineClient second = await QmpLineClient.ConnectAsync(folder.File("c.sock"));
        Assert.That(await second.ReadLineAsync(), Is.EqualTo("{"));
        await using QmpLineClient third = await QmpLineClient.ConnectAsync(folder.File("c.sock"));

        string properties = (await first.ExecuteAsync("qom-list", """{"path": "/objects/m"}""")).ToString();
        Assert.That(properties, Is.EqualTo(
            """[{"name": "type", "type": "string"}, {"name": "chardev", "type": "string"}, {"name": "pretty", "type": "bool"}, {"name": "close-action", "type": "MonitorQMPCloseAction"}]"""));
        Assert.That((await first.ExecuteAsync("qom-get", """{"path": "/objects/m", "property": "close-action"}""")).GetString(), Is.EqualTo("none"));
        Refused(first, "chardev-remove", """{"id": "c"}""", "Chardev 'c' is busy");
        Refused(first, "object-add", """{"qom-type": "monitor-qmp", "id": "n", "chardev": "c"}""", "chardev 'c' is already in use");
        Refused(first, "object-add", """{"qom-type": "monitor-qmp", "id": "n", "chardev": "d"}""", "chardev \"d\" not found");
        Refused(first, "object-add", """{"qom-type": "monitor-qmp", "id": "n"}""", "Parameter 'chardev' is missing");
        Refused(first, "object-del", """{"id": "compat_monitor0"}""", "Cannot delete the current QMP monitor");

        await first.ExecuteAsync("object-del", """{"id": "m"}""");
        Assert.That(await ReadToEndAsync(second), Does.EndWith("}"));
        await first.ExecuteAsync("chardev-remove", """{"id": "c"}""");
        Assert.That(File.Exists(folder.File("c.sock")), Is.False);
    }

    [Test]
    public async Task A_monitor_for_one_client_goes_with_it_and_so_does_its_device()
    {
        using var folder = new WorkFolder();
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        await using QmpLineClient first = await daemon.ConnectAsync();
        await AddSocketAsync(first, folder);
        await first.ExecuteAsync("object-add", """{"qom-type": "monitor-qmp", "id": "m", "chardev": "c", "close-action": "delete"}""");
        await using (QmpLineClient second = await QmpLineClient.ConnectAsync(folder.File("c.sock")))
        {
            await second.NegotiateAsync();
            Refused(second, "object-del", """{"id": "m"}""", "Cannot delete the current QMP monitor");
        }

        using var limit = new CancellationTokenSource(QmpLineClient.DefaultTimeout);
        while ((await first.ExecuteAsync("query-chardev")).GetArrayLength() > 1)
        {
            limit.Token.ThrowIfCancellationRequested();
        }

        Assert.That((await first.ExecuteAsync("qom-list", """{"path": "/objects"}""")).ToString(), Does.Not.Contain("\"m\""));
        Assert.That(File.Exists(folder.File("c.sock")), Is.False);
    }

    [TestCase("allow-uid", true, true)]
    [TestCase("allow-uid", false, false)]
    [TestCase("allow-gid", true, true)]
    [TestCase("allow-gid", false, false)]
    public async Task A_monitor_lets_in_whom_it_is_told_to(string option, bool isOwn, bool isLetIn)
    {
        using var folder = new WorkFolder();
        string own = await Shell.CheckAsync(option == "allow-uid" ? "id -u" : "id -g", folder.Path);
        string id = isOwn ? own.Trim() : "4294967294";
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(
            DaemonProgram.Qmpd, folder.Path,
            "--chardev", $"socket,id=c,path={folder.File("c.sock")},server=on,wait=off", "--monitor", $"c,id=m,{option}={id}",
            "--chardev", $"socket,id=d,path={folder.File("d.sock")},server=on,wait=off", "--object", $"monitor-qmp,id=n,chardev=d,{option}.0=7,{option}.1={id}");
        foreach (string name in new[] { "c", "d" })
        {
            await daemon.WaitForSocketAsync(name + ".sock");
            await using QmpLineClient client = await QmpLineClient.ConnectAsync(folder.File(name + ".sock"));
            Assert.That(await client.TryReadLineAsync(), Is.EqualTo(isLetIn ? Greeting : null));
        }

        if (!isLetIn)
        {
            await daemon.WaitForLogAsync("is not let in");
            Assert.That(daemon.Log, Does.Match(@"monitor 'm': user \d+ of group \d+ is not let in"));
        }
    }

    [TestCase("qemu", true)]
    [TestCase("other", false)]
    public async Task A_monitor_speaks_TLS_with_whom_it_may(string identity, bool isLetIn)
    {
        const string Key = "00112233445566778899aabbccddeeff";
        using var folder = new WorkFolder();
        Directory.CreateDirectory(folder.File("keys"));
        File.WriteAllText(folder.File("keys/keys.psk"), $"qemu:{Key}\n");
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(
            DaemonProgram.Qmpd, folder.Path,
            "--object", "tls-creds-psk,id=t,endpoint=server,dir=keys",
            "--object", $"authz-simple,id=a,identity={identity}",
            "--chardev", "socket,id=c,host=127.0.0.1,port=0,server=on,wait=off,tls-creds=t,tls-authz=a,logfile=log", "--monitor", "c");
        await using QmpLineClient plain = await daemon.ConnectAsync();
        string address = (await plain.ExecuteAsync("query-chardev")).EnumerateArray()
            .Single(device => device.GetProperty("label").GetString() == "c").GetProperty("filename").GetString()!;
        string port = address.Split(':', ',')[3];

        // The client's input stays open until the server ends the connection.
        string said = (await Shell.RunAsync(
            $"mkfifo in; exec 3<>in; printf '{Negotiate}{Quit}' >&3; exec gnutls-cli --pskusername qemu --pskkey {Key} "
                + $"--priority NORMAL:-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK -p {port} 127.0.0.1 <&3",
            folder.Path)).Output;
        if (isLetIn)
        {
            Assert.That(said, Does.Contain($"{Greeting}\r\n{Nothing}\r\n{Nothing}\r\n"));
            Assert.That(await daemon.WaitForExitAsync(), Is.Zero);
            Assert.That(File.ReadAllText(folder.File("log")), Is.EqualTo($"{Greeting}\r\n{Nothing}\r\n{Nothing}\r\n"));
        }
        else
        {
            Assert.That(said, Does.Not.Contain("QMP"));
            await daemon.WaitForLogAsync("chardev 'c': TLS x509 authz check for qemu is denied");
        }
    }

    [Test]
    public async Task A_name_that_is_taken_does_no_harm()
    {
        using var folder = new WorkFolder();
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        await using QmpLineClient first = await daemon.ConnectAsync();
        string path = folder.File("qmp.sock");
        Refused(first, "chardev-add",
            $$$$$$"""{"id": "qmp0", "backend": {"type": "socket", "data": {"addr": {"type": "unix", "data": {"path": "{{{{{{path}}}}}}"}}}}}""",
            "Chardev with id 'qmp0' already exists");
        await using QmpLineClient second = await daemon.ConnectAsync();
        Assert.That(second.Greeting, Is.EqualTo(Greeting));
    }

    [Test]
    public async Task A_client_that_waits_for_a_name_holds_up_nobody_else()
    {
        using var folder = new WorkFolder();
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        await using QmpLineClient first = await daemon.ConnectAsync();
        await using QmpLineClient second = await daemon.ConnectAsync();
        await first.SendLineAsync(
            $$$$$$$"""{"execute": "chardev-add", "arguments": {"id": "c", "backend": {"type": "socket", "data": {"addr": {"type": "unix", "data": {"path": "{{{{{{{folder.File("c.sock")}}}}}}}"}}, "wait": true}}}}""");
        await daemon.WaitForLogAsync("waiting for connection on: disconnected:unix:");
        Refused(second, "chardev-add", """{"id": "c", "backend": {"type": "null", "data": {}}}""", "Chardev with id 'c' already exists");
        await using QmpLineClient third = await QmpLineClient.ConnectAsync(folder.File("c.sock"));
        Assert.That(await first.ReadLineAsync(), Is.EqualTo(Nothing));
        Assert.That((await second.ExecuteAsync("query-chardev")).ToString(), Does.Contain($"\"unix:{folder.File("c.sock")},server=on\""));
    }

    [Test]
    public async Task A_second_signal_leaves_no_socket_behind()
    {
        using var folder = new WorkFolder();
        await using Daemon daemon = Daemon.Start(
            DaemonProgram.Qmpd, folder.Path,
            "--blockdev", "null-co,node-name=n,size=1048576",
            "--export", $"vhost-user-blk,id=e,node-name=n,addr.type=unix,addr.path={folder.File("e.sock")}",
            "--chardev", $"socket,id=c,path={folder.File("c.sock")},server=on,wait=on");
        await daemon.WaitForLogAsync("waiting for connection");
        Assert.That(File.Exists(folder.File("e.sock")) && File.Exists(folder.File("c.sock")), Is.True);

        // The first asks for the end, which waits for the client like the start does.
        Signals.Send(daemon.Pid, Signals.Terminate);
        Signals.Send(daemon.Pid, Signals.Interrupt);
        Assert.That(await daemon.WaitForExitAsync(), Is.EqualTo(1));
        Assert.That(daemon.Log, Does.Contain("stopping in haste"));
        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.Empty);
    }

    /// <summary>Runs the daemon as a filter; its lines.</summary>
    private static async Task<string[]> FilterAsync(WorkFolder folder, string input, string arguments)
    {
        await File.WriteAllTextAsync(folder.File("input"), input);
        string output = await Shell.CheckAsync($"{DaemonProgram.Qmpd.Path} {arguments} < input", folder.Path);
        return output.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
    }

    private static Task AddSocketAsync(QmpLineClient client, WorkFolder folder) => client.ExecuteAsync(
        "chardev-add",
        $$$$$$"""{"id": "c", "backend": {"type": "socket", "data": {"addr": {"type": "unix", "data": {"path": "{{{{{{folder.File("c.sock")}}}}}}"}}}}}""");

    private static void Refused(QmpLineClient client, string command, string arguments, string error) => Assert.That(
        async () => await client.ExecuteAsync(command, arguments),
        Throws.TypeOf<QmpReplyException>().With.Property(nameof(QmpReplyException.Description)).EqualTo(error));

    private static async Task<string> ReadToEndAsync(QmpLineClient client)
    {
        string last = "";
        while (await client.TryReadLineAsync() is { } line)
        {
            last = line;
        }

        return last;
    }
}
