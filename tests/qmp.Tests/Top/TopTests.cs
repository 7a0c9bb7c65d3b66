using System.Diagnostics;
using System.Text.Json;
using Qmp.Testing;
using Qmp.Tool.Top;

namespace Qmp.Tool.Tests.Top;

/// <summary><c>qmp top</c> while a disk is under load, in a terminal and for scripts.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class TopTests
{
    [Test]
    public async Task LinesForScriptsTellWhatTheDiskDoes()
    {
        using var folder = new WorkFolder();
        await using var daemon = await StartDiskAsync(folder);
        using var load = await StartLoadAsync(folder);
        var result = await Tool.RunAsync(folder, "top", "qmp.sock", "--json", "--interval", "0.5", "--count", "3");
        load.Kill();
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        var lines = result.Output.TrimEnd('\n').Split('\n');
        Assert.That(lines, Has.Length.EqualTo(3));
        // Who is in flight when the measuring begins has no time yet: look at the last interval.
        var disk = JsonDocument.Parse(lines[2]).RootElement.GetProperty("disks").EnumerateArray().Single();
        Assert.That((disk.GetProperty("name").GetString(), disk.GetProperty("node").GetString(), disk.GetProperty("loop").GetString()), Is.EqualTo(("e", "disk", "loop0")));
        var read = disk.GetProperty("read");
        double perSecond = read.GetProperty("per-second").GetDouble(), latency = read.GetProperty("latency-us").GetDouble();
        Assert.That(perSecond, Is.GreaterThan(10));
        Assert.That(read.GetProperty("bytes-per-second").GetDouble(), Is.EqualTo(perSecond * 4096).Within(0.1).Percent);
        Assert.That(latency, Is.GreaterThan(2000));
        // What is in flight on average is what arrives times how long it stays; the load keeps 4 in flight at most.
        Assert.That(disk.GetProperty("queue-depth").GetDouble(), Is.EqualTo(perSecond * latency / 1e6).Within(2).Percent.And.GreaterThan(0.1).And.LessThan(4.5));
        Assert.That(disk.GetProperty("write").GetProperty("per-second").GetDouble(), Is.Zero);
    }

    [Test]
    public async Task TheScreenIsRedrawnAndQEndsIt()
    {
        using var folder = new WorkFolder();
        await using var daemon = await StartDiskAsync(folder);
        await using var terminal = await TerminalEmulator.StartAsync(folder, "top qmp.sock --interval 0.2");
        var screen = await terminal.WaitForAsync(" disk ");
        Assert.That(screen, Does.Match(@"^qmp top  \d\d:\d\d:\d\d  every 0.2 s, by iops"));
        Assert.That(screen, Does.Match(@"\n +e +disk +loop0 +0 +0 +0 +0 +0 +- +- +- +0$"));
        using (var load = await StartLoadAsync(folder))
        {
            await terminal.WaitForAsync(text => System.Text.RegularExpressions.Regex.IsMatch(text, @"\n +e +disk +loop0 +[1-9]\d+ +0 +0 +[\d.]+ +0 +[\d.]+ +- +- +[\d.]+$"), "rates");
            load.Kill();
        }

        await terminal.WaitForAsync(text => System.Text.RegularExpressions.Regex.IsMatch(text, @"\n +e +disk +loop0 +0 +0 +0 +0 +0 +- +- +- +0$"), "rest");
        await terminal.PressAsync("n");
        await terminal.WaitForAsync("every 0.2 s, by name");
        await terminal.PressAsync("q");
        // What was on the screen before is back.
        screen = await terminal.WaitForAsync("exit status 0");
        Assert.That(screen, Is.EqualTo("exit status 0"));
    }

    [TestCase("", true)]
    [TestCase("NO_COLOR=1", false)]
    [TestCase("TERM=dumb", false)]
    public async Task ColoursAreForTerminalsThatWantThem(string environment, bool colours)
    {
        using var folder = new WorkFolder();
        await using var daemon = await StartDiskAsync(folder);
        await using var terminal = await TerminalEmulator.StartAsync(folder, "top qmp.sock --once --interval 0.1", environment);
        await terminal.WaitForAsync("exit status 0");
        Assert.That((await terminal.ScreenAsync(colours: true)).Contains("\e[", StringComparison.Ordinal), Is.EqualTo(colours));
        var piped = await Tool.RunAsync(folder, "top", "qmp.sock", "--once", "--interval", "0.1");
        Assert.That(piped.Output, Does.Contain("disk").And.Not.Contain("\e"), piped.Error);
        await using var graph = await TerminalEmulator.StartAsync(folder, "graph qmp.sock", environment);
        await graph.WaitForAsync("exit status 0");
        Assert.That((await graph.ScreenAsync(colours: true)).Contains("\e[", StringComparison.Ordinal), Is.EqualTo(colours));
    }

    [Test]
    public async Task OfTheRealDaemonThereIsNothingToTell()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Peer!, folder.Path, "--blockdev", "null-co,node-name=disk");
        var result = await Tool.RunAsync(folder, "top", "qmp.sock", "--once", "--interval", "0.1");
        Assert.That((result.ExitCode, result.Output, result.Error), Is.EqualTo((0, "No disk that the server counts requests of.\n", "")));
    }

    [Test]
    public async Task DevicesOfQemuAreTold()
    {
        using var folder = new WorkFolder();
        await using var qemu = Daemon.Start(new DaemonProgram("qemu", Testing.Shell.Find("qemu-system-x86_64")!), folder.Path,
            "-M", "none", "-nodefaults", "-display", "none", "-drive", "if=none,id=drive0,driver=null-co,size=1048576,read-zeroes=on", "-qmp", $"unix:{folder.File("qmp.sock")},server=on,wait=off");
        await qemu.WaitForSocketAsync("qmp.sock");
        var result = await Tool.RunAsync(folder, "top", "qmp.sock", "--once", "--interval", "0.1", "--json");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Contain("\"name\":\"drive0\"").And.Contain("\"read\":{\"per-second\":0,"));
    }

    [Test]
    public void CountsThatBeganAnewAndDisksThatAreNewCountFromZero()
    {
        DiskSample Disk(string name, ulong operations) => new(name, "n") { Read = new(operations, operations * 512, operations * 2000, 0) };
        var rates = DiskRates.Between([Disk("a", 100), Disk("b", 100), Disk("gone", 1)], [Disk("a", 160), Disk("b", 20), Disk("c", 10)], 2);
        Assert.That(rates.Select(disk => (disk.Disk.Name, disk.Read.PerSecond, disk.Read.LatencyUs)),
            Is.EqualTo(new[] { ("a", 30.0, (double?)2.0), ("b", 10.0, 2.0), ("c", 5.0, 2.0) }));
        Assert.That(DiskRates.Sort(rates, "iops").Select(disk => disk.Disk.Name), Is.EqualTo(new[] { "a", "b", "c" }));
        Assert.That(rates[0].Write.LatencyUs, Is.Null);
    }

    private static async Task<Daemon> StartDiskAsync(WorkFolder folder)
    {
        var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path,
            "--object", "iothread,id=loop0", "--blockdev", "driver=null-aio,node-name=disk,size=1048576,read-zeroes=on,latency-ns=2000000",
            "--export", $"vhost-user-blk,id=e,node-name=disk,writable=on,iothread=loop0,addr.type=unix,addr.path={folder.File("v.sock")}");
        await daemon.WaitForSocketAsync("v.sock");
        return daemon;
    }

    private static async Task<Process> StartLoadAsync(WorkFolder folder)
    {
        var start = new ProcessStartInfo(await LoadGenerator.DiskAsync(), ["--socket", folder.File("v.sock"), "--depth", "4", "--seconds", "60"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }
}
