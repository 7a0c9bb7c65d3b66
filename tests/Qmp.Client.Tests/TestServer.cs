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

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _daemon.DisposeAsync();
        _folder.Dispose();
    }
}
