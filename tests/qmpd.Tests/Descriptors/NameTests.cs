using System.Net;
using System.Net.Sockets;

namespace Qmp.Daemon.Tests.Descriptors;

/// <summary>Descriptors with names: <c>getfd</c>, <c>closefd</c>, and sockets that are used by name.</summary>
[TestFixture]
public sealed class NameTests : DescriptorTest
{
    private const string NoDescriptor = "No file descriptor supplied via SCM_RIGHTS";

    [Test]
    public async Task ANameIsGivenReplacedAndClosed()
    {
        using PassedEnd first = new();
        using PassedEnd second = new();
        await WorksAsync("getfd", """{"fdname": "a"}""", first.Fd);
        await WorksAsync("getfd", """{"fdname": "a"}""", second.Fd);
        await first.ClosedAsync();
        Assert.That(second.IsHeld());
        await WorksAsync("closefd", """{"fdname": "a"}""");
        await second.ClosedAsync();
        await FailsAsync("closefd", """{"fdname": "a"}""", "File descriptor named 'a' not found");
    }

    [Test]
    public async Task MistakesAreToldAndLeaveNothingOpen()
    {
        using PassedEnd end = new();
        await FailsAsync("getfd", """{"fdname": "a"}""", NoDescriptor);
        await FailsAsync("getfd", """{"fdname": "1a"}""", NoDescriptor);
        await FailsAsync("getfd", """{"fdname": "1a"}""", "Parameter 'fdname' expects a name not starting with a digit", end.Fd);
        await end.ClosedAsync();
        await FailsAsync("getfd", "{}", "Parameter 'fdname' is missing");
    }

    [Test]
    public async Task ANameIsForAllClientsOfItsMonitorAndOutlivesThem()
    {
        await WorksAsync("chardev-add", $$$$$"""
            {"id": "c", "backend": {"type": "socket", "data": {"wait": false,
             "addr": {"type": "unix", "data": {"path": "{{{{{Folder.File("other.sock")}}}}}"} }}}}
            """);
        await WorksAsync("object-add", """{"qom-type": "monitor-qmp", "id": "other", "chardev": "c"}""");
        using PassedEnd end = new();
        using PassedEnd ofOther = new();
        await WorksAsync("getfd", """{"fdname": "a"}""", end.Fd);
        await using (var other = await Daemon.ConnectAsync("other.sock"))
        {
            other.SendWithDescriptors(Command("closefd", """{"fdname": "a"}"""));
            Assert.That(await other.ReadLineAsync(), Does.Contain("File descriptor named 'a' not found"));
            other.SendWithDescriptors(Command("getfd", """{"fdname": "b"}"""), ofOther.Fd);
            Assert.That(await other.ReadLineAsync(), Is.EqualTo("""{"return": {}}"""));
        }

        await using (var again = await Daemon.ConnectAsync())
        {
            Assert.That(end.IsHeld());
            _ = await again.ExecuteAsync("closefd", """{"fdname": "a"}""");
        }

        await end.ClosedAsync();
        Assert.That(ofOther.IsHeld());
        await WorksAsync("object-del", """{"id": "other"}""");
        await ofOther.ClosedAsync();
    }

    [Test]
    public async Task ASocketIsConnectedByName()
    {
        using PassedEnd end = new();
        await WorksAsync("getfd", """{"fdname": "s"}""", end.Fd);
        await FailsAsync("chardev-add", Chardev("t", "false"), "Failed to add chardev 'c': File descriptor named 't' has not been found");
        await FailsAsync("chardev-add", Chardev("3", "false"), "Failed to add chardev 'c': File descriptor named '3' has not been found");
        await WorksAsync("chardev-add", Chardev("s", "false"));
        await FailsAsync("closefd", """{"fdname": "s"}""", "File descriptor named 's' not found");
        Assert.That(await DescribeAsync(), Is.EqualTo("unix:"));

        // It is that socket: a monitor greets there.
        await WorksAsync("object-add", """{"qom-type": "monitor-qmp", "id": "m", "chardev": "c"}""");
        var greeting = new byte[5];
        Assert.That(await end.Other.ReceiveAsync(greeting).WaitAsync(TimeSpan.FromSeconds(60)), Is.EqualTo(5));
        Assert.That(greeting, Is.EqualTo("{\"QMP"u8.ToArray()));
    }

    [TestCase("l.sock", "disconnected:unix:$DIR/l.sock,server=on", "unix:$DIR/l.sock,server=on")]
    [TestCase("", "disconnected:tcp:127.0.0.1:$PORT,server=on", "tcp:127.0.0.1:$PORT,server=on <-> 127.0.0.1:$PEER")]
    public async Task ASocketListensByName(string path, string before, string connected)
    {
        using var listener = Listener(path);
        using var peer = new Socket(listener.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await WorksAsync("getfd", """{"fdname": "l"}""", (int)listener.Handle);
        await WorksAsync("chardev-add", Chardev("l", "true, \"wait\": false"));
        Assert.That(await DescribeAsync(), Is.EqualTo(Fill(before)));
        await peer.ConnectAsync(listener.LocalEndPoint!);
        await WorksAsync("object-add", """{"qom-type": "monitor-qmp", "id": "m", "chardev": "c"}""");
        Assert.That(await peer.ReceiveAsync(new byte[5]).WaitAsync(TimeSpan.FromSeconds(60)), Is.EqualTo(5));
        Assert.That(await DescribeAsync(), Is.EqualTo(Fill(connected)));

        string Fill(string text) => text.Replace("$DIR", Folder.Path, StringComparison.Ordinal)
            .Replace("$PORT", Port(listener.LocalEndPoint), StringComparison.Ordinal)
            .Replace("$PEER", Port(peer.LocalEndPoint), StringComparison.Ordinal);

        static string Port(EndPoint? end) => end is IPEndPoint ip ? $"{ip.Port}" : "";
    }

    [Test]
    public async Task WhatIsNoListenerOrNoSocketIsClosed()
    {
        using PassedEnd end = new();
        await WorksAsync("getfd", """{"fdname": "s"}""", end.Fd);
        await FailsAsync("chardev-add", Chardev("s", "true"), "Failed to add chardev 'c': Failed to listen on fd socket: Invalid argument");
        await end.ClosedAsync();
        Assert.That(Aio.Libc.Pipe(out var read, out var write), Is.Zero);
        await WorksAsync("getfd", """{"fdname": "p"}""", read);
        _ = Aio.Libc.Close(read);
        await FailsAsync("chardev-add", Chardev("p", "false"), "Failed to add chardev 'c': File descriptor 'p' is not a socket");
        Assert.That(Aio.Libc.Write(write, "x"u8), Is.EqualTo(-Aio.Errno.EPIPE));
        _ = Aio.Libc.Close(write);
    }

    [Test]
    public async Task AnExportListensOnASocketByName()
    {
        using var listener = Listener("disk.sock");
        await WorksAsync("getfd", """{"fdname": "l"}""", (int)listener.Handle);
        await WorksAsync("blockdev-add", """{"driver": "null-co", "node-name": "n", "size": 1048576}""");
        await FailsAsync("block-export-add", Export("k"), "File descriptor named 'k' has not been found");
        await WorksAsync("block-export-add", Export("l"));
        using var frontEnd = Qmp.Testing.VhostUser.FrontEnd.Connect(Folder.File("disk.sock"));
        frontEnd.Negotiate();
        Assert.That(frontEnd.Capacity, Is.EqualTo(2048));
    }

    private Socket Listener(string path)
    {
        var isUnix = path.Length > 0;
        var socket = new Socket(isUnix ? AddressFamily.Unix : AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(isUnix ? new UnixDomainSocketEndPoint(Folder.File(path)) : new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private async Task<string?> DescribeAsync() => (await Client.ExecuteAsync("query-chardev")).EnumerateArray()
        .First(chardev => chardev.GetProperty("label").GetString() == "c").GetProperty("filename").GetString();

    private static string Export(string name) => $$$"""
        {"type": "vhost-user-blk", "id": "e", "node-name": "n", "addr": {"type": "fd", "str": "{{{name}}}"}}
        """;

    private static string Chardev(string name, string isServer) => $$$$$"""
        {"id": "c", "backend": {"type": "socket", "data": {"server": {{{{{isServer}}}}}, "addr": {"type": "fd", "data": {"str": "{{{{{name}}}}}"} }}}}
        """;
}
