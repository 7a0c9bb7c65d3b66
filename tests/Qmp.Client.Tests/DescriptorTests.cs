using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Win32.SafeHandles;
using Qmp.Client.Schema;
using Qmp.Testing;

namespace Qmp.Client.Tests;

/// <summary>Descriptors that the client passes, to qmpd and to the real qemu-system-x86_64.</summary>
[TestFixture]
public sealed partial class DescriptorTests
{
    [Test]
    public async Task TypedCommandsPassDescriptors()
    {
        await using var server = await TestServer.StartAsync(DaemonProgram.Qmpd);
        using var file = Make(server, "disk", FileAccess.ReadWrite);
        File.Delete(Path.Combine(server.Folder, "disk"));
        QmpCallOptions call = new() { Descriptors = [file] };
        var added = await server.Client.AddFdAsync(fdsetId: 3, opaque: "disk", call: call);
        Assert.That(added.FdsetId, Is.EqualTo(3));
        await server.Client.BlockdevAddAsync(new BlockdevOptions
        {
            Driver = BlockdevDriver.File,
            NodeName = "disk0",
            File = new BlockdevOptionsFile { Filename = "/dev/fdset/3" },
        });
        var sets = await server.Client.QueryFdsetsAsync();
        Assert.That(sets.Single().Fds.Single().Opaque, Is.EqualTo("disk"));
        await server.Client.RemoveFdAsync(3);
        await server.Client.GetfdAsync("name", call: call);
        await server.Client.ClosefdAsync("name");
    }

    [Test]
    public async Task QemuAnswersTheSame()
    {
        await using var ours = await TestServer.StartAsync(DaemonProgram.Qmpd);
        await using var theirs = await TestServer.StartQemuAsync();
        var mine = await TalkAsync(ours);
        Assert.That(mine, Is.EqualTo(await TalkAsync(theirs)));
        Assert.That(mine, Has.Some.Contains("SCM_RIGHTS").And.Some.Contains("fdset-id:5"));
    }

    /// <summary>A conversation: each command with its answer, in which numbers of descriptors are N.</summary>
    private static async Task<List<string>> TalkAsync(TestServer server)
    {
        List<string> lines = [];
        using var writable = Make(server, "writable", FileAccess.ReadWrite);
        using var readable = Make(server, "readable", FileAccess.Read);
        using var output = Make(server, "output", FileAccess.Write);
        using var connected = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(server.Folder, "l.sock")));

        await SayAsync("getfd", """{"fdname": "a"}""");
        await SayAsync("getfd", """{"fdname": "1"}""", writable);
        await SayAsync("getfd", """{"fdname": "a"}""", writable);
        await SayAsync("getfd", """{"fdname": "a"}""", readable, writable);
        await SayAsync("getfd", """{"fdname": "b"}""");
        await SayAsync("closefd", """{"fdname": "b"}""");
        await SayAsync("closefd", """{"fdname": "a"}""");
        await SayAsync("closefd", """{"fdname": "a"}""");
        await SayAsync("query-fdsets", "{}", writable);
        await SayAsync("getfd", """{"fdname": "of-the-command-before"}""");
        await SayAsync("getfd", """{"fdname": "a", "more": 1}""", writable);

        await SayAsync("add-fd", "{}", writable);
        await SayAsync("add-fd", """{"fdset-id": -1}""", writable);
        await SayAsync("add-fd", """{"fdset-id": 5, "opaque": "five"}""", readable);
        await SayAsync("add-fd", "{}");
        await SayAsync("add-fd", """{"opaque": ""}""", output);
        await SayAsync("add-fd", """{"fdset-id": 2147483648}""", writable);
        await SayAsync("query-fdsets", "{}");
        await SayAsync("remove-fd", """{"fdset-id": 2147483648}""");
        await SayAsync("remove-fd", """{"fdset-id": 77}""");
        await SayAsync("remove-fd", """{"fdset-id": 5, "fd": -1}""");

        await SayAsync("blockdev-add", Disk("n", "5"));
        await SayAsync("blockdev-add", Disk("n", "5", """, "auto-read-only": true"""));
        await SayAsync("blockdev-add", Disk("m", "0"));
        await SayAsync("blockdev-add", Disk("o", "0", """, "cache": {"direct": true}"""));
        foreach (var number in new[] { "9", "x", "", "-1", " 5", "+5", "05", "5 ", "0x5", "2147483648", "99999999999999999999" })
        {
            await SayAsync("blockdev-add", Disk("o", number));
        }

        await SayAsync("blockdev-reopen", $$"""{"options": [{{Disk("m", "0", """, "read-only": true""")}}]}""");
        await SayAsync("add-fd", """{"fdset-id": 0}""", readable);
        await SayAsync("blockdev-reopen", $$"""{"options": [{{Disk("m", "0", """, "read-only": true""")}}]}""");
        await SayAsync("remove-fd", """{"fdset-id": 0}""");
        await SayAsync("query-fdsets", "{}");
        await SayAsync("blockdev-reopen", $$"""{"options": [{{Disk("m", "0")}}]}""");
        await SayAsync("blockdev-del", """{"node-name": "m"}""");
        await SayAsync("query-fdsets", "{}");

        await SayAsync("chardev-add", FileChardev("f1", "/dev/fdset/1"));
        await SayAsync("chardev-add", FileChardev("f2", "/dev/fdset/5"));
        await SayAsync("chardev-add", FileChardev("f2", "/dev/fdset/9"));
        await SayAsync("chardev-add", FileChardev("f2", "/dev/null", "/dev/fdset/5"));
        await SayAsync("chardev-add", SocketChardev("c", "none", false));
        await SayAsync("getfd", """{"fdname": "s"}""", writable);
        await SayAsync("chardev-add", SocketChardev("c", "s", false));
        await SayAsync("closefd", """{"fdname": "s"}""");
        await SayAsync("getfd", """{"fdname": "s"}""", connected.SafeHandle);
        await SayAsync("chardev-add", SocketChardev("c", "s", false));
        await SayAsync("getfd", """{"fdname": "l"}""", listener.SafeHandle);
        await SayAsync("chardev-add", SocketChardev("d", "l", true));
        await SayAsync("closefd", """{"fdname": "l"}""");
        return lines;

        async Task SayAsync(string command, string arguments, params System.Runtime.InteropServices.SafeHandle[] descriptors)
        {
            string answer;
            try
            {
                var value = await server.Client.ExecuteAsync(
                    command, JsonNode.Parse(arguments)!.AsObject(), new QmpCallOptions { Descriptors = descriptors });
                answer = Number().Replace(value.GetRawText(), "\"fd\": N");
            }
            catch (QmpCommandException e)
            {
                answer = e.Description;
            }

            lines.Add($"{command} {arguments}: {answer}");
        }
    }

    private static SafeFileHandle Make(TestServer server, string name, FileAccess access)
    {
        var path = Path.Combine(server.Folder, name);
        File.WriteAllText(path, new string('x', 4096));
        return File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);
    }

    private static string Disk(string node, string set, string more = "") =>
        $$"""{"driver": "file", "node-name": "{{node}}", "filename": "/dev/fdset/{{set}}"{{more}}}""";

    private static string FileChardev(string id, string output, string? log = null) =>
        $$$"""{"id": "{{{id}}}", "backend": {"type": "file", "data": {"out": "{{{output}}}"{{{(log is null ? "" : $", \"logfile\": \"{log}\"")}}} } }}""";

    private static string SocketChardev(string id, string name, bool isServer) =>
        $$$"""
        {"id": "{{{id}}}", "backend": {"type": "socket", "data": {"server": {{{(isServer ? "true, \"wait\": false" : "false")}}},
         "addr": {"type": "fd", "data": {"str": "{{{name}}}"} } } } }
        """;

    [GeneratedRegex("\"fd\": [0-9]+")]
    private static partial Regex Number();
}
