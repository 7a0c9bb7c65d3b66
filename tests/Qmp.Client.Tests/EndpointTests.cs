using System.Net;
using System.Net.Sockets;
using Qmp.Testing;

namespace Qmp.Client.Tests;

/// <summary>The ways to a server.</summary>
[TestFixture]
public sealed class EndpointTests
{
    [TestCase("/run/qmp.sock", "unix:/run/qmp.sock")]
    [TestCase("unix:qmp.sock", "unix:qmp.sock")]
    [TestCase("qmp.sock", "unix:qmp.sock")]
    [TestCase("abstract:qmp", "unix:@qmp")]
    [TestCase("tcp:localhost:4444", "tcp:localhost:4444")]
    [TestCase("tcp:[::1]:4444", "tcp:::1:4444")]
    [TestCase("fd:7", "fd:7")]
    public void ATextIsAnEndpoint(string text, string meaning) => Assert.That(QmpEndpoint.Parse(text).ToString(), Is.EqualTo(meaning));

    [TestCase("")]
    [TestCase("tcp:4444")]
    [TestCase("tcp:host:0")]
    [TestCase("tcp:host:port")]
    [TestCase("fd:-1")]
    [TestCase("fd:one")]
    public void ATextThatMeansNothingIsRefused(string text) => Assert.Throws<FormatException>(() => QmpEndpoint.Parse(text));

    [Test]
    public async Task OverTcp()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(
            DaemonProgram.Qmpd, folder.Path,
            "--chardev", $"socket,id=tcp,host=127.0.0.1,port={port},server=on,wait=off", "--monitor", "tcp");
        await using var client = await QmpClient.ConnectAsync(
            $"tcp:127.0.0.1:{port}", // which the daemon opens after the other
            new QmpClientOptions { Reconnect = new QmpReconnectPolicy { FirstDelay = TimeSpan.FromMilliseconds(5), RetryFirstConnection = true } });
        Assert.That((await client.QueryVersionAsync()).Package, Does.StartWith("qmpd-"));
        await Assert.ThrowsAsync<NotSupportedException>(() => client.ExecuteAsync(
            "getfd", call: new QmpCallOptions { Descriptors = [new Microsoft.Win32.SafeHandles.SafeFileHandle(0, false)] }));
    }

    [Test]
    public async Task OverADescriptorAndAStream()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(folder.File("qmp.sock")));
        await using (var client = await QmpClient.ConnectAsync($"fd:{(int)socket.Handle}"))
        {
            Assert.That((await client.QueryVersionAsync()).Package, Does.StartWith("qmpd-"));
        }

        socket.SafeHandle.SetHandleAsInvalid(); // the client has closed it
        using var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await other.ConnectAsync(new UnixDomainSocketEndPoint(folder.File("qmp.sock")));
        await using var streamed = await QmpClient.ConnectAsync(QmpEndpoint.Stream(new NetworkStream(other)));
        Assert.That((await streamed.QueryVersionAsync()).Package, Does.StartWith("qmpd-"));
    }
}
