using System.Net;
using System.Net.Sockets;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Chardevs;
using Qmp.Testing;

namespace Qmp.Server.Tests.Monitors;

/// <summary>The socket character device: its forms, and the errors of the real daemon.</summary>
[TestFixture]
public sealed class ChardevTests
{
    [Test]
    public async Task AUnixSocketIsPrivateAndGoesWithTheDaemon()
    {
        string path;
        await using (var server = await new MonitorServer().StartAsync())
        {
            path = server.SocketPath;
            Assert.That(File.GetUnixFileMode(path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            await server.OnMainAsync(server.Server.CloseMonitorsAsync);
            Assert.That(File.Exists(path), Is.False);
        }
    }

    [Test]
    public async Task AnAbstractSocketHasNoFile()
    {
        using var folder = new WorkFolder();
        var name = "qmp-test-" + Path.GetFileName(folder.Path);
        var options = MonitorServer.Unix(name);
        options.Addr.Unix!.Data.Abstract = true;
        await using var server = await new MonitorServer().StartAsync(options);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint("\0" + name));
        using var client = await new MonitorClient(socket).GreetAsync();
    }

    [Test]
    public async Task ATcpSocketServes()
    {
        await using var server = await new MonitorServer().StartAsync(Inet("127.0.0.1", "0"));
        var port = int.Parse(((SocketChardev)server.Server.Context.Chardevs.Find("c")!).Address.Inet!.Port, System.Globalization.CultureInfo.InvariantCulture);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        using var client = await new MonitorClient(socket).GreetAsync();
    }

    [Test]
    public async Task ADescriptorThatListensIsTakenOver()
    {
        using var folder = new WorkFolder();
        var path = Path.Combine(folder.Path, "l.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        var fd = Aio.Libc.Duplicate((int)listener.Handle);
        await using var server = await new MonitorServer().StartAsync(new ChardevSocket
        {
            Addr = new SocketAddressLegacy { Type = SocketAddressType.Fd, Fd = new FdSocketAddressWrapper { Data = new FdSocketAddress { Str = $"{fd}" } } },
            Server = true,
            Wait = false,
        });
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        using var client = await new MonitorClient(socket).GreetAsync();
    }

    [Test]
    public async Task AMonitorThatConnectsConnectsAgain()
    {
        using var folder = new WorkFolder();
        var path = Path.Combine(folder.Path, "l.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var options = MonitorServer.Unix(path);
        options.Server = false;
        options.Wait = null;
        options.ReconnectMs = 1;
        await using var server = await new MonitorServer().StartAsync(options);
        for (var i = 0; i < 3; i++)
        {
            using var client = await new MonitorClient(await listener.AcceptAsync().WaitAsync(MonitorServer.Patience)).GreetAsync();
        }
    }

    [Test]
    public async Task WaitEndsWithTheFirstClientWhoIsServed()
    {
        await using var server = new MonitorServer();
        var options = MonitorServer.Unix(server.SocketPath);
        options.Wait = true;
        var starting = server.StartAsync(options);
        await server.OnMainAsync(() => default); // it is under way
        Assert.That(starting.IsCompleted, Is.False);
        using var client = await server.ConnectAsync();
        await starting;
    }

    [TestCase("/nonexistent/x", true, "Failed to bind socket to /nonexistent/x: No such file or directory")]
    [TestCase("/nonexistent/x", false, "Failed to connect to '/nonexistent/x': No such file or directory")]
    public void UnixErrors(string path, bool isServer, string error)
    {
        var options = MonitorServer.Unix(path);
        options.Server = isServer;
        options.Wait = isServer ? false : null;
        Refused(options, error);
    }

    [TestCase("127.0.0.1", "abc", "address resolution failed for 127.0.0.1:abc: Servname not supported for ai_socktype")]
    [TestCase("8.8.8.8", "0", "Failed to bind socket: Cannot assign requested address")]
    public void InetErrors(string host, string port, string error) => Refused(Inet(host, port), error);

    [Test]
    public void OptionsThatDoNotFitTogetherAreRefused()
    {
        var options = MonitorServer.Unix("x");
        options.ReconnectMs = 5;
        Refused(options, "'reconnect' option is incompatible with socket in server listen mode");
        options = MonitorServer.Unix("x");
        options.Server = false;
        Refused(options, "'wait' option is incompatible with socket in client connect mode");
        options = MonitorServer.Unix("x");
        options.TlsAuthz = "a";
        Refused(options, "'tls_authz' option requires 'tls_creds' option");
        Assert.That(File.Exists("x"), Is.False);
    }

    [Test]
    public async Task AChardevHasOneMonitor()
    {
        await using var server = await new MonitorServer().StartAsync();
        Assert.That(
            async () => await server.OnMainAsync(() =>
            {
                server.Server.AddMonitor(new MonitorOptions { Chardev = "c" });
                return default;
            }),
            Throws.TypeOf<QmpException>().With.Message.EqualTo("chardev 'c' is already in use"));
        Assert.That(
            async () => await server.OnMainAsync(() =>
            {
                server.Server.AddMonitor(new MonitorOptions { Chardev = "d" });
                return default;
            }),
            Throws.TypeOf<QmpException>().With.Message.EqualTo("chardev \"d\" not found"));
    }

    private static ChardevSocket Inet(string host, string port) => new()
    {
        Addr = new SocketAddressLegacy
        {
            Type = SocketAddressType.Inet,
            Inet = new InetSocketAddressWrapper { Data = new InetSocketAddress { Host = host, Port = port } },
        },
        Server = true,
        Wait = false,
    };

    private static void Refused(ChardevSocket options, string error) => Assert.That(
        async () =>
        {
            await using var server = await new MonitorServer().StartAsync(options);
        },
        Throws.TypeOf<QmpException>().With.Message.EqualTo(error));
}
