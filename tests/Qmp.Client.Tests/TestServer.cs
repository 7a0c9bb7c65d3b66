using Qmp.Testing;

namespace Qmp.Client.Tests;

/// <summary>A storage daemon and a client that is connected to it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WorkFolder _folder;
    private readonly Daemon _daemon;

    private TestServer(WorkFolder folder, Daemon daemon, QmpClient client)
    {
        _folder = folder;
        _daemon = daemon;
        Client = client;
    }

    public QmpClient Client { get; }

    public string Folder => _folder.Path;

    public static async Task<TestServer> StartAsync(DaemonProgram program, QmpClientOptions? options = null, params IEnumerable<string> arguments)
    {
        var folder = new WorkFolder();
        try
        {
            var daemon = await Daemon.StartWithMonitorAsync(program, folder.Path, arguments);
            return new TestServer(folder, daemon, await QmpClient.ConnectAsync(Path.Combine(folder.Path, "qmp.sock"), options));
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>The real qemu-system-x86_64, with nothing in its machine.</summary>
    public static async Task<TestServer> StartQemuAsync()
    {
        var program = new DaemonProgram(
            "qemu-system-x86_64", Shell.Find("qemu-system-x86_64") ?? throw new InvalidOperationException("qemu-system-x86_64 is not installed"));
        var folder = new WorkFolder();
        var socket = folder.File("qmp.sock");
        var daemon = Daemon.Start(
            program, folder.Path,
            ["-machine", "none", "-nodefaults", "-display", "none", "-chardev", $"socket,id=qmp0,path={socket},server=on,wait=off", "-mon", "chardev=qmp0,mode=control"]);
        try
        {
            await daemon.WaitForSocketAsync("qmp.sock");
            return new TestServer(folder, daemon, await ConnectAsync(socket));
        }
        catch
        {
            await daemon.DisposeAsync();
            folder.Dispose();
            throw;
        }
    }

    // QEMU listens before its monitor is there, and never greets a client of that moment.
    private static async Task<QmpClient> ConnectAsync(string socket)
    {
        for (var left = 4; ; left--)
        {
            try
            {
                return await QmpClient.ConnectAsync(socket, new QmpClientOptions { ConnectTimeout = TimeSpan.FromSeconds(5) });
            }
            catch (QmpConnectionException) when (left > 0)
            {
                // Once more.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _daemon.DisposeAsync();
        _folder.Dispose();
    }
}
