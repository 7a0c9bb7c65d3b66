using Qmp.Testing;

namespace Benchmarks.Daemons;

/// <summary>A running daemon with disks, in a folder of its own that has an image whose bytes are in the page cache.</summary>
internal sealed class DiskDaemon : IAsyncDisposable
{
    public const string Image = "disk.img";
    public const int ImageBytes = 256 << 20;

    private readonly WorkFolder _folder = new();
    private Daemon? _daemon;

    private DiskDaemon()
    {
    }

    public Daemon Daemon => _daemon!;

    public string Folder => _folder.Path;

    /// <param name="program">Which daemon.</param>
    /// <param name="nodes">Values of --blockdev.</param>
    /// <param name="disks">What it exports.</param>
    /// <param name="images">The image files to make.</param>
    public static async Task<DiskDaemon> StartAsync(
        DaemonProgram program, IEnumerable<string> nodes, IReadOnlyList<Disk> disks, params IEnumerable<string> images)
    {
        var started = new DiskDaemon();
        try
        {
            foreach (string image in images)
            {
                // Random bytes and not a hole: every block is allocated, and no part is cheaper than another. In blocks of
                // 4 KiB, and on disk: see README.md, "Warm".
                await Shell.CheckAsync($"dd if=/dev/urandom of={image} bs=4k count={ImageBytes >> 12} conv=fsync status=none", started.Folder);
            }

            started._daemon = await Daemon.StartWithMonitorAsync(program, started.Folder,
            [
                .. disks.Select(disk => disk.Loop).OfType<string>().Distinct().SelectMany(loop => (string[])["--object", $"iothread,id={loop}"]),
                .. nodes.SelectMany(node => (string[])["--blockdev", node]),
                .. disks.SelectMany(disk => disk.Arguments(started.Folder)),
            ]);
            foreach (Disk disk in disks)
            {
                await started._daemon.WaitForSocketAsync(disk.Socket);
            }

            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>A daemon with one disk "disk" on the node "disk".</summary>
    public static Task<DiskDaemon> StartAsync(DaemonProgram program, Options options, string node) =>
        StartAsync(program, [node], [new Disk("disk", "disk", options.IoThread ? "loop0" : null)], Image);

    /// <summary>Loads a disk.</summary>
    /// <param name="disk">Its name.</param>
    /// <param name="arguments">Of the load generator.</param>
    public Task<DiskLoad> LoadAsync(string disk, params IEnumerable<string> arguments) =>
        DiskLoad.MeasureAsync(Daemon, disk + ".sock", arguments);

    /// <summary>
    /// Load at both depths, so that it is measured as users meet it after a while, not while its code is being compiled.
    /// </summary>
    public async Task WarmUpAsync(string disk = "disk", bool isWritable = true)
    {
        foreach (string depth in (string[])["32", "1"])
        {
            await LoadAsync(disk, ["--rw", isWritable ? "mixed" : "randread", "--read-pct", "50", "--depth", depth, "--seconds", "1"]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_daemon != null)
        {
            await _daemon.DisposeAsync();
        }

        _folder.Dispose();
    }
}
