using System.Diagnostics;
using System.Globalization;
using Qmp.Testing;

namespace Benchmarks;

/// <summary>One measurement each, on a daemon of its own.</summary>
internal sealed class Measurements(Options options)
{
    private const string DiskMegabytes = "256";
    private const int AllocationOperations = 1_000_000;

    /// <summary>I/O operations per second of 4 KiB at random places.</summary>
    /// <param name="node">The value of --blockdev; the node's name is "disk".</param>
    public async Task<double> DiskAsync(DaemonProgram program, string node, string direction, int depth)
    {
        using var folder = new WorkFolder();
        await CreateDiskAsync(folder);
        await using Daemon daemon = await StartWithDiskAsync(program, folder, node);
        ShellResult result = await Shell.RunProgramAsync(
            await LoadGenerator.DiskAsync(),
            ["--socket", folder.File("disk.sock"), "--rw", direction, "--bs", "4096", "--depth", $"{depth}",
                "--seconds", Seconds, "--ramp", "0.3", "--pid", $"{daemon.Pid}", "--tsv"],
            folder.Path);
        return Column(result, 8, daemon);
    }

    /// <summary>QMP commands per second, and the median and the 99th percentile of their latency in microseconds.</summary>
    /// <param name="program">The daemon. The peer serves one client per monitor, so it has a monitor and a socket for each.</param>
    /// <param name="clients">How many clients at once.</param>
    /// <param name="depth">How many commands each of them has under way.</param>
    public async Task<double[]> QmpAsync(DaemonProgram program, int clients, int depth)
    {
        using var folder = new WorkFolder();
        bool hasMonitors = program == DaemonProgram.Peer && clients > 1;
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(program, folder.Path, hasMonitors
            ? Enumerable.Range(0, clients).SelectMany(i => (string[])
                ["--chardev", $"socket,id=client{i},path={folder.File($"client{i}.sock")},server=on,wait=off", "--monitor", $"chardev=client{i}"])
            : []);
        await WarmUpAsync(folder);
        return Latency(await RunQmpAsync(folder, hasMonitors ? "client%d.sock" : "qmp.sock", clients, depth), daemon);
    }

    /// <summary>The same for one client at depth 1 while every disk does as much as it can.</summary>
    /// <param name="program">The daemon, with two disks.</param>
    /// <param name="ioThreads">Whether each disk has an iothread of its own; else the main loop serves them.</param>
    public async Task<double[]> QmpUnderLoadAsync(DaemonProgram program, bool ioThreads)
    {
        using var folder = new WorkFolder();
        string[] disks = ["disk0", "disk1"];
        foreach (string disk in disks)
        {
            await CreateDiskAsync(folder, disk);
        }

        await using Daemon daemon = await Daemon.StartWithMonitorAsync(program, folder.Path, disks.SelectMany(disk => (string[])
        [
            "--object", $"iothread,id=loop-{disk}",
            "--blockdev", $"driver=file,node-name={disk},filename={disk}.img,aio=io_uring",
            "--export", $"type=vhost-user-blk,id={disk},node-name={disk},writable=on,addr.type=unix,addr.path={folder.File(disk + ".sock")}"
                + (ioThreads ? $",iothread=loop-{disk}" : ""),
        ]));
        await WarmUpAsync(folder);
        string generator = await LoadGenerator.DiskAsync();
        Task<ShellResult>[] load = [.. disks.Select(disk => Shell.RunProgramAsync(generator,
            ["--socket", folder.File(disk + ".sock"), "--rw", "mixed", "--bs", "4096", "--depth", "64", "--ramp", "0",
                "--seconds", (options.Seconds + 3).ToString(CultureInfo.InvariantCulture), "--tsv"],
            folder.Path))];
        await WarmUpAsync(folder);
        double[] latency = Latency(await RunQmpAsync(folder, "qmp.sock", clients: 1, depth: 1), daemon);
        if (load.Any(one => one.IsCompleted))
        {
            throw new InvalidOperationException("The load ended before the measurement.");
        }

        double rate = (await Task.WhenAll(load)).Sum(result => Column(result, 8, daemon));
        return [.. latency, rate];
    }

    /// <summary>Milliseconds from the start of the process to its greeting.</summary>
    public static async Task<double> GreetingAsync(DaemonProgram program)
    {
        using var folder = new WorkFolder();
        var clock = Stopwatch.StartNew();
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(program, folder.Path);
        await using QmpLineClient client = await QmpLineClient.ConnectAsync(folder.File("qmp.sock"));
        await client.ReadLineAsync();
        return clock.Elapsed.TotalMilliseconds;
    }

    /// <summary>Resident mebibytes with one disk, idle after some load.</summary>
    public async Task<double> MemoryAsync(DaemonProgram program)
    {
        using var folder = new WorkFolder();
        await CreateDiskAsync(folder);
        await using Daemon daemon = await StartWithDiskAsync(program, folder, FileNode);
        await Shell.RunProgramAsync(
            await LoadGenerator.DiskAsync(),
            ["--socket", folder.File("disk.sock"), "--rw", "mixed", "--depth", "32", "--seconds", Seconds], folder.Path);
        return daemon.ResidentBytes() / 1048576.0;
    }

    /// <summary>Managed bytes that qmpd allocates per disk request in steady state.</summary>
    public async Task<double> AllocationAsync(DaemonProgram program, string direction)
    {
        using var folder = new WorkFolder();
        await CreateDiskAsync(folder);
        await using Daemon daemon = await StartWithDiskAsync(program, folder, FileNode);
        using var counter = AllocationCounter.Attach(daemon.Pid);
        ShellResult result = await Shell.RunProgramAsync(
            await LoadGenerator.DiskAsync(),
            ["--socket", folder.File("disk.sock"), "--rw", direction, "--bs", "4096", "--depth", "32",
                "--ops", $"{AllocationOperations}", "--tsv"],
            folder.Path);
        return await counter.StopAsync() / Column(result, 7, daemon);
    }

    /// <summary>Managed bytes that qmpd allocates per QMP round trip.</summary>
    public async Task<double> QmpAllocationAsync(DaemonProgram program)
    {
        using var folder = new WorkFolder();
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(program, folder.Path);
        await WarmUpAsync(folder);
        using var counter = AllocationCounter.Attach(daemon.Pid);
        ShellResult result = await Shell.RunProgramAsync(
            await LoadGenerator.QmpAsync(),
            ["--socket", folder.File("qmp.sock"), "--test", "rtt", "--seconds", Seconds, "--tsv"],
            folder.Path);
        double commands = Column(result, 3, daemon) * options.Seconds;
        return await counter.StopAsync() / commands;
    }

    public static string FileNode =>
        "driver=file,node-name=disk,filename=disk.img,aio=io_uring";

    public static string NullNode => "driver=null-co,node-name=disk,size=268435456,read-zeroes=off";

    private string Seconds => options.Seconds.ToString(CultureInfo.InvariantCulture);

    private static Task CreateDiskAsync(WorkFolder folder, string name = "disk") =>
        Shell.CheckAsync($"dd if=/dev/urandom of={name}.img bs=1M count={DiskMegabytes} status=none", folder.Path);

    // A new process is measured as users meet it after a while, not while its code is being compiled.
    private static async Task WarmUpAsync(WorkFolder folder) => await Shell.RunProgramAsync(
        await LoadGenerator.QmpAsync(), ["--socket", folder.File("qmp.sock"), "--test", "pipeline", "--seconds", "1"], folder.Path);

    private async Task<ShellResult> RunQmpAsync(WorkFolder folder, string socket, int clients, int depth) => await Shell.RunProgramAsync(
        await LoadGenerator.QmpAsync(),
        ["--socket", folder.File(socket), "--test", clients > 1 ? "clients" : depth == 1 ? "rtt" : "pipeline", "--clients", $"{clients}",
            "--depth", $"{depth}", "--seconds", Seconds, "--tsv"],
        folder.Path);

    // Commands per second, median and 99th percentile in microseconds.
    private static double[] Latency(ShellResult result, Daemon daemon) =>
        [Column(result, 3, daemon), Column(result, 4, daemon), Column(result, 5, daemon)];

    private static double Column(ShellResult result, int index, Daemon daemon)
    {
        string[] columns = result.Lines.Count > 0 ? result.Lines[^1].Split('\t') : [];
        return result.ExitStatus == 0 && columns.Length > index
            ? double.Parse(columns[index], CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"The load generator failed:\n{result.Output}\n{daemon.CommandLine}\n{daemon.Log}");
    }

    private async Task<Daemon> StartWithDiskAsync(DaemonProgram program, WorkFolder folder, string node)
    {
        string socket = folder.File("disk.sock");
        string loop = options.IoThread ? ",iothread=loop0" : "";
        Daemon daemon = await Daemon.StartWithMonitorAsync(program, folder.Path,
        [
            "--object", "iothread,id=loop0",
            "--blockdev", node,
            "--export", $"type=vhost-user-blk,id=disk0,node-name=disk,writable=on,addr.type=unix,addr.path={socket}{loop}",
        ]);
        await daemon.WaitForSocketAsync("disk.sock");

        // The same for both: their code paths and the page cache are warm.
        await Shell.RunProgramAsync(
            await LoadGenerator.DiskAsync(),
            ["--socket", socket, "--rw", "mixed", "--read-pct", "50", "--depth", "32", "--seconds", "1"], folder.Path);
        return daemon;
    }
}
