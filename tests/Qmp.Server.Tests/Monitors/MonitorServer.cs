using System.Net.Sockets;
using System.Text;
using Qmp.Aio;
using Qmp.Protocol.Schema;
using Qmp.Testing;

namespace Qmp.Server.Tests.Monitors;

/// <summary>A server with monitors on real sockets; its main loop runs on a thread of its own.</summary>
internal sealed class MonitorServer : IAsyncDisposable
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly IoThread _thread = new("main", AioEngineKind.Threads);

    internal MonitorServer() => Server = new QmpServer(new ServerOptions { Main = _thread.Context, Engine = AioEngineKind.Threads });

    internal QmpServer Server { get; }

    internal WorkFolder Folder { get; } = new();

    internal string SocketPath => Path.Combine(Folder.Path, "q.sock");

    internal static ChardevSocket Unix(string path) => new()
    {
        Addr = new SocketAddressLegacy
        {
            Type = SocketAddressType.Unix,
            Unix = new UnixSocketAddressWrapper { Data = new UnixSocketAddress { Path = path } },
        },
        Server = true,
        Wait = false,
    };

    internal static ChardevBackend Backend(ChardevSocket socket) =>
        new() { Type = ChardevBackendKind.Socket, Socket = new ChardevSocketWrapper { Data = socket } };

    /// <summary>A monitor on <see cref="SocketPath"/> that serves.</summary>
    internal Task<MonitorServer> StartAsync(bool pretty = false) => StartAsync(Unix(SocketPath), pretty);

    internal async Task<MonitorServer> StartAsync(ChardevSocket socket, bool pretty = false)
    {
        await OnMainAsync(async () =>
        {
            await Server.AddChardevAsync("c", Backend(socket));
            Server.AddMonitor(new MonitorOptions { Chardev = "c", Pretty = pretty });
            Server.Monitors.Start();
        });
        return this;
    }

    internal async Task OnMainAsync(Func<ValueTask> action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _thread.Context.Schedule(async () =>
        {
            try
            {
                await action();
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        await done.Task.WaitAsync(Patience);
    }

    internal async Task<MonitorClient> ConnectAsync(bool negotiate = true)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using var limit = new CancellationTokenSource(Patience);
        while (!socket.Connected)
        {
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath));
            }
            catch (SocketException) when (!limit.IsCancellationRequested)
            {
                await Task.Yield(); // it does not listen yet
            }
        }

        return await new MonitorClient(socket).GreetAsync(negotiate);
    }

    public async ValueTask DisposeAsync()
    {
        await OnMainAsync(Server.CloseMonitorsAsync);
        _thread.Dispose();
        Folder.Dispose();
    }
}

/// <summary>A client of a monitor, line by line.</summary>
internal sealed class MonitorClient(Socket socket) : IDisposable
{
    private readonly StringBuilder _received = new();
    private readonly byte[] _buffer = new byte[65536];

    internal Socket Socket => socket;

    internal async Task<MonitorClient> GreetAsync(bool negotiate = true)
    {
        Assert.That(await LineAsync(), Is.EqualTo(
            """{"QMP": {"version": {"qemu": {"micro": 92, "minor": 0, "major": 11}, "package": "qmpd-0.1.0"}, "capabilities": ["oob"]}}"""));
        if (negotiate)
        {
            await SendAsync("""{"execute":"qmp_capabilities"}""");
            Assert.That(await LineAsync(), Is.EqualTo("""{"return": {}}"""));
        }

        return this;
    }

    internal async Task SendAsync(string text) => await socket.SendAsync(Encoding.UTF8.GetBytes(text)).WaitAsync(MonitorServer.Patience);

    /// <summary>The next line; null at the end of the connection.</summary>
    internal async Task<string?> LineAsync()
    {
        while (true)
        {
            var text = _received.ToString();
            var end = text.IndexOf("\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                _received.Remove(0, end + 2);
                return text[..end];
            }

            var count = await socket.ReceiveAsync(_buffer).WaitAsync(MonitorServer.Patience);
            if (count == 0)
            {
                return null;
            }

            _received.Append(Encoding.UTF8.GetString(_buffer, 0, count));
        }
    }

    public void Dispose() => socket.Dispose();
}
