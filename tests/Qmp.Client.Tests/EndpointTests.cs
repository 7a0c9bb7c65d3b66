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
    [TestCase("vsock:3:4294967295", "vsock:3:4294967295")]
    [TestCase("fd:7", "fd:7")]
    public void ATextIsAnEndpoint(string text, string meaning) => Assert.That(QmpEndpoint.Parse(text).ToString(), Is.EqualTo(meaning));

    [TestCase("")]
    [TestCase("tcp:4444")]
    [TestCase("tcp:host:0")]
    [TestCase("tcp:host:port")]
    [TestCase("vsock:3")]
    [TestCase("vsock:host:1")]
    [TestCase("vsock:-1:1")]
    [TestCase("vsock:3:4294967296")]
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

    // Few kernels have a way back to the same machine, so the socket itself is one of another family below.
    [Test]
    public async Task AVsockThatNobodyListensOnIsAnError()
    {
        var error = (await Assert.ThrowsAsync<QmpConnectionException>(() => QmpClient.ConnectAsync("vsock:1:4294967294")))!;
        Assert.That(error.Message, Does.Match("^vsock:1:4294967294: .+"));
        Assert.That(error.InnerException, Is.InstanceOf<IOException>());
    }

    [Test]
    public async Task AVsockCarriesBytesAndEndsWhileItIsRead()
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using var folder = new WorkFolder();
        listener.Bind(new UnixDomainSocketEndPoint(folder.File("s")));
        listener.Listen();
        var near = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        near.Connect(new UnixDomainSocketEndPoint(folder.File("s")));
        using var far = listener.Accept();
        var transport = new VsockTransport(new Microsoft.Win32.SafeHandles.SafeFileHandle(near.Handle, ownsHandle: true));
        near.SafeHandle.SetHandleAsInvalid(); // the transport closes it

        await transport.SendAsync("to there"u8.ToArray(), []);
        var buffer = new byte[100];
        Assert.That(System.Text.Encoding.UTF8.GetString(buffer, 0, far.Receive(buffer)), Is.EqualTo("to there"));
        far.Send("and back"u8);
        var read = await transport.Input.ReadAsync();
        Assert.That(System.Text.Encoding.UTF8.GetString(read.Buffer.FirstSpan), Is.EqualTo("and back"));
        transport.Input.AdvanceTo(read.Buffer.End);

        var waiting = transport.Input.ReadAsync().AsTask();
        await transport.DisposeAsync();
        Assert.That(await Task.WhenAny(waiting, Task.Delay(TimeSpan.FromSeconds(20))), Is.SameAs(waiting)); // at its end, or too late to begin
        Assert.That(far.Receive(buffer), Is.Zero);
    }
}
