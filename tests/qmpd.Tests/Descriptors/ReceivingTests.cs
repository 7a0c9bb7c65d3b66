using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Qmp.Aio;
using Qmp.Testing;

namespace Qmp.Daemon.Tests.Descriptors;

/// <summary>To which command a descriptor belongs, and what becomes of those that nobody wants.</summary>
[TestFixture]
public sealed partial class ReceivingTests : DescriptorTest
{
    private const string NoDescriptor = """{"error": {"class": "GenericError", "desc": "No file descriptor supplied via SCM_RIGHTS"}}""";

    [Test]
    public async Task EachOfManyPipelinedCommandsHasItsOwn()
    {
        // All of it is there when the daemon looks.
        const int Count = 60;
        Signals.Send(Daemon.Pid, Signals.Stop);
        for (var i = 0; i < Count; i++)
        {
            Client.SendWithDescriptors(Command("query-fdsets"));
            var fd = Open(Name(i), Libc.O_RDWR | Libc.O_CREAT);
            Client.SendWithDescriptors(Command("add-fd", $$"""{"fdset-id": {{i}}, "opaque": "}{"}"""), fd);
            _ = Libc.Close(fd);
            Client.SendWithDescriptors(Command("add-fd"));
        }

        Signals.Send(Daemon.Pid, Signals.Continue);
        for (var i = 0; i < Count; i++)
        {
            _ = await Client.ReadReplyAsync();
            var added = (await Client.ReadReplyAsync()).GetProperty("fd").GetInt32();
            Assert.That(await Client.ReadLineAsync(), Is.EqualTo(NoDescriptor));
            Assert.That(
                File.ResolveLinkTarget($"/proc/{Daemon.Pid}/fd/{added}", returnFinalTarget: false)!.FullName, Is.EqualTo(Folder.File(Name(i))));
        }

        static string Name(int i) => i.ToString(CultureInfo.InvariantCulture);
    }

    [Test]
    public async Task OutOfBandEachWaitingCommandHasItsOwn()
    {
        await using var client = await QmpLineClient.ConnectAsync(Folder.File("qmp.sock"));
        await client.NegotiateAsync(outOfBand: true);
        using PassedEnd first = new();
        using PassedEnd second = new();
        Signals.Send(Daemon.Pid, Signals.Stop);
        client.SendWithDescriptors(Command("getfd", """{"fdname": "a"}"""), first.Fd);
        client.SendWithDescriptors(Command("getfd", """{"fdname": "b"}"""), second.Fd);
        Signals.Send(Daemon.Pid, Signals.Continue);
        _ = await client.ReadReplyAsync();
        _ = await client.ReadReplyAsync();
        _ = await client.ExecuteAsync("closefd", """{"fdname": "b"}""");
        await second.ClosedAsync();
        Assert.That(first.IsHeld());
    }

    [Test]
    public async Task ADescriptorMayComeWithAnyByteOfItsCommand()
    {
        var command = Command("getfd", """{"fdname": "a"}""");
        for (var at = 0; at < command.Length; at++)
        {
            using PassedEnd end = new();
            if (at > 0)
            {
                await Client.SendAsync(System.Text.Encoding.UTF8.GetBytes(command[..at]));
            }

            Client.SendWithDescriptors(command[at..(at + 1)], end.Fd);
            await Client.SendAsync(System.Text.Encoding.UTF8.GetBytes(command[(at + 1)..]));
            Assert.That(await AnswerAsync(), Is.EqualTo("""{"return": {}}"""), $"with byte {at}");
            await WorksAsync("closefd", """{"fdname": "a"}""");
            await end.ClosedAsync();
        }
    }

    [Test]
    public async Task ABlankBeforeACommandMayCarryIt()
    {
        using PassedEnd end = new();
        Client.SendWithDescriptors(" ", end.Fd);
        await WorksAsync("getfd", """{"fdname": "a"}""");
        Assert.That(end.IsHeld());
    }

    [Test]
    public async Task WhatACommandLeavesIsThereForTheNext()
    {
        using PassedEnd first = new();
        using PassedEnd second = new();
        await SaysAsync("query-fdsets", null, """{"return": []}""", first.Fd);
        await SaysAsync("query-fdsets", null, """{"return": []}""", second.Fd);
        await first.ClosedAsync();
        await WorksAsync("getfd", """{"fdname": "a"}""");
        Assert.That(second.IsHeld());
        await SaysAsync("getfd", """{"fdname": "a"}""", NoDescriptor);
    }

    [TestCase(2)]
    [TestCase(Libc.MaxPassedDescriptors)]
    public async Task OfManyInOneMessageTheFirstIsTaken(int count)
    {
        using PassedEnd first = new();
        using PassedEnd others = new();
        await WorksAsync("getfd", """{"fdname": "a"}""", [first.Fd, .. Enumerable.Repeat(others.Fd, count - 1)]);
        await others.ClosedAsync();
        Assert.That(first.IsHeld());
        await SaysAsync("getfd", """{"fdname": "a"}""", NoDescriptor);
    }

    [Test]
    public async Task OfManyMessagesOfOneCommandTheLastCounts()
    {
        List<PassedEnd> ends = [.. Enumerable.Range(0, 40).Select(_ => new PassedEnd())];
        Signals.Send(Daemon.Pid, Signals.Stop);
        ends.ForEach(end => Client.SendWithDescriptors(" ", end.Fd));
        Signals.Send(Daemon.Pid, Signals.Continue);
        await WorksAsync("getfd", """{"fdname": "a"}""");
        foreach (var end in ends.SkipLast(1))
        {
            await end.ClosedAsync();
        }

        Assert.That(ends[^1].IsHeld());
        ends.ForEach(end => end.Dispose());
    }

    [Test]
    public async Task NothingStaysOpenOfAClientThatLeaves()
    {
        using PassedEnd left = new();
        using PassedEnd arriving = new();
        using PassedEnd unread = new();
        var client = await Daemon.ConnectAsync();
        client.SendWithDescriptors(Command("query-fdsets"), left.Fd);
        _ = await client.ReadReplyAsync();
        client.SendWithDescriptors("""{"execute": """, arriving.Fd);
        Assert.That(left.IsHeld());
        Signals.Send(Daemon.Pid, Signals.Stop);
        for (var i = 0; i < 40; i++)
        {
            client.SendWithDescriptors(" ", unread.Fd);
        }

        await client.DisposeAsync();
        Signals.Send(Daemon.Pid, Signals.Continue);
        await left.ClosedAsync();
        await arriving.ClosedAsync();
        await unread.ClosedAsync();
    }

    [Test]
    public async Task ReceivedDescriptorsAreNotInherited()
    {
        var fd = Open("file", Libc.O_RDWR | Libc.O_CREAT);
        Client.SendWithDescriptors(Command("add-fd"), fd);
        var added = (await Client.ReadReplyAsync()).GetProperty("fd").GetInt32();
        _ = await Client.ExecuteAsync("blockdev-add", """{"driver": "file", "node-name": "n", "filename": "/dev/fdset/0"}""");
        var own = OpenDescriptors(Folder.File("file")).ToList();
        Assert.That(own, Has.Count.EqualTo(2).And.Contains(added));
        foreach (var number in own)
        {
            var flags = File.ReadLines($"/proc/{Daemon.Pid}/fdinfo/{number}").First(line => line.StartsWith("flags:", StringComparison.Ordinal));
            Assert.That(Convert.ToInt32(flags[6..].Trim(), 8) & Libc.O_CLOEXEC, Is.Not.Zero);
        }

        _ = Libc.Close(fd);
    }

    private IEnumerable<int> OpenDescriptors(string path) => Directory.GetFiles($"/proc/{Daemon.Pid}/fd")
        .Where(link => File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName == path)
        .Select(link => int.Parse(Path.GetFileName(link), CultureInfo.InvariantCulture));

    [Test]
    public async Task AnUrgentByteIsDropped()
    {
        // Seen but not taken it would keep the main loop busy for ever.
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Folder.File("qmp.sock")));
        Assert.That(socket.Send("x"u8, SocketFlags.OutOfBand), Is.EqualTo(1));
        for (var clock = Stopwatch.StartNew(); Untaken((int)socket.Handle) != 0; await Task.Delay(1))
        {
            Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(30)), "the byte is still there");
        }

        await WorksAsync("getfd", """{"fdname": "a"}""", 0);
    }

    // Bytes that the other end has not taken (SIOCOUTQ).
    private static unsafe int Untaken(int socket)
    {
        var bytes = 0;
        Assert.That(ioctl(socket, 0x5411, &bytes), Is.Zero);
        return bytes;
    }

    [LibraryImport("libc")]
    private static unsafe partial int ioctl(int fd, nuint request, int* value);
}
