using System.Runtime.InteropServices;
using Qmp.Testing;

namespace Interop.Speed;

/// <summary>A qmpd with one disk whose system calls are counted.</summary>
internal sealed class CountedDaemon : IAsyncDisposable
{
    private readonly WorkFolder _folder = new();
    private Daemon? _daemon;

    private CountedDaemon()
    {
    }

    public string Socket => _folder.File("disk.sock");

    public Daemon Daemon => _daemon!;

    /// <summary>System calls of all threads since the start.</summary>
    public long Calls => MemoryMarshal.Read<long>(File.ReadAllBytes(_folder.File("calls")));

    /// <summary>Fails where the machine forbids to count, or has no io_uring: the numbers would be others.</summary>
    public static async Task<CountedDaemon> StartAsync(long bytes)
    {
        var counted = new CountedDaemon();
        try
        {
            using (FileStream image = File.Create(counted._folder.File("disk.img")))
            {
                image.SetLength(bytes);
            }

            counted._daemon = Daemon.Start(
                DaemonProgram.Qmpd with { Path = await BuildCounterAsync(counted._folder) }, counted._folder.Path,
                counted._folder.File("calls"), DaemonProgram.Qmpd.Path,
                "--object", "iothread,id=loop0",
                "--blockdev", "driver=file,node-name=disk,filename=disk.img,aio=io_uring",
                "--export", $"type=vhost-user-blk,id=disk,node-name=disk,writable=on,iothread=loop0,addr.type=unix,addr.path={counted.Socket}");
            await counted.Daemon.WaitForSocketAsync("disk.sock");
            Assert.That(counted.Daemon.Log, Does.Not.Contain("io_uring is not available"));
            return counted;
        }
        catch
        {
            await counted.DisposeAsync();
            throw;
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

    private static async Task<string> BuildCounterAsync(WorkFolder folder)
    {
        string program = folder.File("count-calls");
        string source = Repository.PathOf("tests", "Interop", "Speed", "count-calls.c");
        await Shell.CheckAsync($"gcc -O2 -Wall -Wextra -Werror -o {program} '{source}'", folder.Path);
        return program;
    }
}
