using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Qmp.Aio;
using Qmp.Testing;

namespace Qmp.Daemon.Tests.Process;

/// <summary>The daemon's life: start, pid file, background, signals, passed descriptors, and what it leaves behind.</summary>
public class LifeTests
{
    private const string Node = "null-co,node-name=n,size=1048576";

    private WorkFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new WorkFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [TestCase(Signals.Terminate)]
    [TestCase(Signals.Interrupt)]
    [TestCase(1)]
    public async Task EndsInOrderOnASignal(int signal)
    {
        await using var daemon = await StartAsync(
            "--blockdev", Node, "--object", "iothread,id=io0",
            "--export", $"vhost-user-blk,id=e,node-name=n,addr.type=unix,addr.path={_folder.File("e.sock")},iothread=io0",
            "--pidfile", _folder.File("pid"));
        await using var client = await daemon.ConnectAsync(); // answered when everything is ready
        Assert.That(File.ReadAllText(_folder.File("pid")), Is.EqualTo($"{daemon.Pid}\n"));
        Assert.That(File.GetUnixFileMode(_folder.File("pid")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(File.GetUnixFileMode(_folder.File("e.sock")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Signals.Send(daemon.Pid, signal);
        Assert.That(await daemon.WaitForExitAsync(), Is.Zero, daemon.Log);
        Assert.That(Left(), Is.Empty);
    }

    [Test]
    public async Task EndsInOrderOnQuit()
    {
        await using var daemon = await StartAsync("--blockdev", Node, "--pidfile", _folder.File("pid"));
        await using var client = await daemon.ConnectAsync();
        Assert.That((await client.ExecuteAsync("quit")).GetRawText(), Is.EqualTo("{}"));
        Assert.That(await client.TryReadLineAsync(), Is.Null);
        Assert.That(await daemon.WaitForExitAsync(), Is.Zero, daemon.Log);
        Assert.That(Left(), Is.Empty);
    }

    [Test]
    public async Task RefusesAPidFileThatIsHeld()
    {
        await using var first = await StartAsync("--pidfile", _folder.File("pid"));
        await using var client = await first.ConnectAsync();
        await using var second = Qmp.Testing.Daemon.Start(DaemonProgram.Qmpd, _folder.Path, "--blockdev", Node, "--pidfile", _folder.File("pid"));
        Assert.That(await second.WaitForExitAsync(), Is.EqualTo(1));
        Assert.That(second.Log, Is.EqualTo("qmpd: cannot create PID file: Cannot lock pid file: Resource temporarily unavailable\n"));
        Assert.That(File.ReadAllText(_folder.File("pid")), Is.EqualTo($"{first.Pid}\n"));
    }

    [Test]
    public async Task TakesOverThePidFileOfADeadDaemon()
    {
        File.WriteAllText(_folder.File("pid"), "99999999\nand more\n");
        await using var daemon = await StartAsync("--pidfile", _folder.File("pid"));
        await using var client = await daemon.ConnectAsync();
        Assert.That(File.ReadAllText(_folder.File("pid")), Is.EqualTo($"{daemon.Pid}\n"));
    }

    [Test]
    public async Task GoesToTheBackgroundWhenReady()
    {
        await using var parent = Qmp.Testing.Daemon.Start(
            DaemonProgram.Qmpd, _folder.Path, [.. Qmp.Testing.Daemon.MonitorArguments("qmp.sock"), "--daemonize", "--pidfile", "pid"]);
        Assert.That(await parent.WaitForExitAsync(), Is.Zero, parent.Log);
        var pid = int.Parse(File.ReadAllText(_folder.File("pid")), CultureInfo.InvariantCulture);
        try
        {
            Assert.That(pid, Is.Not.EqualTo(parent.Pid));
            Assert.That(Link(pid, "cwd"), Is.EqualTo("/"));
            Assert.That(new[] { Link(pid, "fd/0"), Link(pid, "fd/1"), Link(pid, "fd/2") }, Is.All.EqualTo("/dev/null"));
            var stat = File.ReadAllText($"/proc/{pid}/stat").Split(' ');
            Assert.That(stat[5], Is.EqualTo(pid.ToString(CultureInfo.InvariantCulture)), "leads a session of its own");
            await using var client = await QmpLineClient.ConnectAsync(_folder.File("qmp.sock"));
            await client.NegotiateAsync();
        }
        finally
        {
            Signals.Send(pid, Signals.Terminate);
        }

        await WaitUntilAsync(() => !Directory.Exists($"/proc/{pid}") && Left().Length == 0);
    }

    [Test]
    public async Task SaysWhyItDidNotGoToTheBackground()
    {
        await using var parent = Qmp.Testing.Daemon.Start(DaemonProgram.Qmpd, _folder.Path, "--daemonize", "--blockdev", "foo");
        Assert.That(await parent.WaitForExitAsync(), Is.EqualTo(1));
        Assert.That(parent.Log, Is.EqualTo("qmpd: --blockdev foo: Parameter 'driver' does not accept value 'foo'\n"));
    }

    [Test]
    public async Task TakesDescriptorsThatArePassedIn()
    {
        using var monitor = Listen("m.sock");
        using var disk = Listen("d.sock");
        await using var daemon = Qmp.Testing.Daemon.Start(
            DaemonProgram.Qmpd, _folder.Path, "--blockdev", Node,
            "--export", $"vhost-user-blk,id=e,node-name=n,addr.type=fd,addr.str={disk.Handle}",
            "--chardev", $"socket,id=c,fd={monitor.Handle},server=on,wait=off", "--monitor", "c");
        await using var client = await QmpLineClient.ConnectAsync(_folder.File("m.sock"));
        await client.NegotiateAsync();
        var exports = await client.ExecuteAsync("query-block-exports");
        Assert.That(exports.GetRawText(), Does.Contain("\"id\": \"e\""));

        // The front end's first question is answered: the features of the disk.
        using var frontEnd = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await frontEnd.ConnectAsync(new UnixDomainSocketEndPoint(_folder.File("d.sock")));
        await frontEnd.SendAsync(new byte[] { 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 });
        var answer = new byte[20];
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Assert.That(await frontEnd.ReceiveAsync(answer, limit.Token), Is.EqualTo(20));
        Assert.That(await daemon.TerminateAsync(), Is.Zero, daemon.Log);
    }

    [Test]
    public async Task ObeysInTheOrderGiven()
    {
        await using var daemon = Qmp.Testing.Daemon.Start(
            DaemonProgram.Qmpd, _folder.Path, "--blockdev", "raw,node-name=r,file=n", "--blockdev", Node);
        Assert.That(await daemon.WaitForExitAsync(), Is.EqualTo(1));
        Assert.That(daemon.Log, Does.EndWith("Cannot find device='n' nor node-name='n'\n"));
    }

    [Test]
    public async Task SecondMonitorIsPretty()
    {
        await using var daemon = await StartAsync(
            "--chardev", $"socket,id=p,path={_folder.File("p.sock")},server=on,wait=off", "--monitor", "{\"chardev\": \"p\", \"pretty\": true, \"id\": \"mon\"}");
        await daemon.WaitForSocketAsync("p.sock");
        await using var client = await QmpLineClient.ConnectAsync(_folder.File("p.sock"));
        Assert.That(await client.ReadLineAsync(), Is.EqualTo("{"));
        Assert.That(await client.ReadLineAsync(), Is.EqualTo("    \"QMP\": {"));
    }

    private Task<Qmp.Testing.Daemon> StartAsync(params IEnumerable<string> arguments) =>
        Qmp.Testing.Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, _folder.Path, arguments);

    private string[] Left() => [.. Directory.EnumerateFileSystemEntries(_folder.Path).Select(p => Path.GetFileName(p))];

    private static string? Link(int pid, string name) => new FileInfo($"/proc/{pid}/{name}").LinkTarget;

    // A listening socket that a child inherits.
    private Socket Listen(string name)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_folder.File(name)));
        socket.Listen();
        Assert.That(Libc.Fcntl((int)socket.Handle, Libc.F_SETFD), Is.Zero);
        return socket;
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(60)));
            await Task.Delay(5);
        }
    }
}
