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

    /// <summary>QMP commands per second.</summary>
    public async Task<double> QmpAsync(DaemonProgram program, int depth)
    {
        using var folder = new WorkFolder();
        await using Daemon daemon = await Daemon.StartWithMonitorAsync(program, folder.Path);
        await WarmUpAsync(folder);
        ShellResult result = await Shell.RunProgramAsync(
            await LoadGenerator.QmpAsync(),
            ["--socket", folder.File("qmp.sock"), "--test", depth == 1 ? "rtt" : "pipeline", "--depth", $"{depth}",
                "--seconds", Seconds, "--tsv"],
            folder.Path);
        return Column(result, 3, daemon);
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

    private static Task CreateDiskAsync(WorkFolder folder) =>
        Shell.CheckAsync($"dd if=/dev/urandom of=disk.img bs=1M count={DiskMegabytes} status=none", folder.Path);

    // A new process is measured as users meet it after a while, not while its code is being compiled.
    private static async Task WarmUpAsync(WorkFolder folder) => await Shell.RunProgramAsync(
        await LoadGenerator.QmpAsync(), ["--socket", folder.File("qmp.sock"), "--test", "pipeline", "--seconds", "1"], folder.Path);

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
