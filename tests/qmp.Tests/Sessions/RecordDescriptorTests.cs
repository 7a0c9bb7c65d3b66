using System.Net.Sockets;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Qmp.Aio;
using Qmp.Testing;

namespace Qmp.Tool.Tests.Sessions;

/// <summary>Descriptors that pass through <c>qmp record</c>, both ways, between a client and a server of our own.</summary>
[TestFixture]
public sealed class RecordDescriptorTests
{
    [Test]
    public async Task DescriptorsGoThroughBothWaysAndAreWrittenDown()
    {
        using var folder = new WorkFolder();
        File.WriteAllText(folder.File("from-server"), "of the server");
        File.WriteAllText(folder.File("from-client"), "of the client");
        File.WriteAllText(folder.File("second"), "and another");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(folder.File("s.sock")));
        listener.Listen();
        var recording = Tool.Start(folder, "record", "s.sock", folder.File("l.sock"), "s.qmp", "--once", "--dir", folder.Path);
        await Tool.WaitForSocketAsync(recording, folder, "l.sock");
        using (var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            await client.ConnectAsync(new UnixDomainSocketEndPoint(folder.File("l.sock")));
            using var server = await listener.AcceptAsync().WaitAsync(TimeSpan.FromSeconds(60));

            Send(server, """{"QMP": {"version": {}, "capabilities": []}}""", folder.File("from-server"));
            Assert.That(await ReceiveAsync(client), Is.EqualTo(("""{"QMP": {"version": {}, "capabilities": []}}""", "of the server")));
            Send(client, """{"execute": "getfd", "arguments": {"fdname": "f"}}""", folder.File("from-client"), folder.File("second"));
            Assert.That(await ReceiveAsync(server), Is.EqualTo(("""{"execute": "getfd", "arguments": {"fdname": "f"}}""", "of the client|and another")));
            Send(server, """{"return": {}}""");
            Assert.That(await ReceiveAsync(client), Is.EqualTo(("""{"return": {}}""", "")));
        }

        var result = await Tool.EndAsync(recording);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(File.ReadAllText(folder.File("s.qmp")), Does.Contain("""
            -+ r $DIR/from-client
            -+ r $DIR/second
            -> {"execute": "getfd", "arguments": {"fdname": "f"}}
            <- {"return": {}}
            """));
    }

    private static void Send(Socket socket, string line, params string[] files)
    {
        List<SafeFileHandle> handles = [.. files.Select(file => File.OpenHandle(file))];
        var bytes = Encoding.UTF8.GetBytes(line + "\r\n");
        Assert.That(Libc.SendWithDescriptors((int)socket.Handle, bytes, [.. handles.Select(handle => (int)handle.DangerousGetHandle())]), Is.EqualTo(bytes.Length));
        handles.ForEach(handle => handle.Dispose());
    }

    /// <summary>A line, and what the files say whose descriptors came along.</summary>
    private static async Task<(string Line, string Files)> ReceiveAsync(Socket socket)
    {
        var line = new StringBuilder();
        List<string> files = [];
        var buffer = new byte[4096];
        var passed = new int[16];
        while (line.Length < 2 || line[^1] != '\n')
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            await socket.ReceiveAsync(Memory<byte>.Empty, limit.Token);
            var count = Libc.ReceiveWithDescriptors((int)socket.Handle, buffer, passed, out var number, out _, Libc.MSG_DONTWAIT);
            Assert.That(count, Is.GreaterThan(0));
            line.Append(Encoding.UTF8.GetString(buffer, 0, (int)count));
            foreach (var descriptor in passed.Take(number))
            {
                using var reader = new StreamReader(new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Read));
                files.Add(await reader.ReadToEndAsync());
            }
        }

        return (line.ToString().TrimEnd(), string.Join('|', files));
    }
}
