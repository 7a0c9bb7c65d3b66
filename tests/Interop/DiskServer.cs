using Qmp.Testing;

namespace Interop;

/// <summary>A qmpd with one image on an iothread, served on a vhost-user socket, and a QMP connection.</summary>
internal sealed class DiskServer : IAsyncDisposable
{
    private readonly WorkFolder _folder = new();
    private Daemon? _daemon;
    private QmpLineClient? _qmp;

    private DiskServer()
    {
    }

    public string Folder => _folder.Path;

    public string Image => _folder.File("disk.img");

    public string Socket => _folder.File("disk.sock");

    public Daemon Daemon => _daemon!;

    public QmpLineClient Qmp => _qmp!;

    /// <param name="bytes">Size of the image.</param>
    /// <param name="queues">Number of virtqueues.</param>
    /// <param name="file">Further options of the file node, each with a leading comma.</param>
    public static async Task<DiskServer> StartAsync(long bytes, int queues = 1, string file = "")
    {
        var server = new DiskServer();
        try
        {
            using (FileStream image = File.Create(server.Image))
            {
                image.SetLength(bytes);
            }

            server._daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, server.Folder,
            [
                "--object", "iothread,id=loop0",
                "--blockdev", $"driver=file,node-name=file0,filename=disk.img,discard=unmap{file}",
                "--blockdev", "driver=raw,node-name=disk,file=file0",
                "--export", "type=vhost-user-blk,id=export0,node-name=disk,writable=on,iothread=loop0,"
                    + $"num-queues={queues},addr.type=unix,addr.path={server.Socket}",
            ]);
            await server._daemon.WaitForSocketAsync("disk.sock");
            server._qmp = await server._daemon.ConnectAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs the load generator to its end.</summary>
    public async Task<ShellResult> LoadAsync(params IEnumerable<string> arguments) => await Shell.RunProgramAsync(
        await LoadGenerator.DiskAsync(), ["--socket", Socket, .. arguments], Folder);

    /// <summary>Asserts that a load ended without an error, a mismatch or a lost request.</summary>
    public void AssertGood(ShellResult load) => Assert.That(load.ExitStatus, Is.Zero, load.Output + Daemon.Log);

    public async ValueTask DisposeAsync()
    {
        if (_qmp != null)
        {
            await _qmp.DisposeAsync();
        }

        if (_daemon != null)
        {
            await _daemon.DisposeAsync();
        }

        _folder.Dispose();
    }
}
