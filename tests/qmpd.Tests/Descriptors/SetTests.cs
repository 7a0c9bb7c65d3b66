using Qmp.Aio;
using Qmp.Testing.VhostUser;

namespace Qmp.Daemon.Tests.Descriptors;

/// <summary>Sets of descriptors: <c>add-fd</c>, <c>remove-fd</c>, <c>query-fdsets</c>, and files that are opened from them.</summary>
[TestFixture]
public sealed class SetTests : DescriptorTest
{
    private const int Size = 1 << 20;

    private int _file;
    private int _readOnly;

    [SetUp]
    public void MakeFile()
    {
        _file = Open("disk", Libc.O_RDWR | Libc.O_CREAT);
        Assert.That(Libc.Ftruncate(_file, Size), Is.Zero);
        _readOnly = Open("disk", Libc.O_RDONLY);
        System.IO.File.Delete(Folder.File("disk"));
    }

    [TearDown]
    public void CloseFile()
    {
        _ = Libc.Close(_file);
        _ = Libc.Close(_readOnly);
    }

    [Test]
    public async Task SetsAreMadeListedAndRemoved()
    {
        await SaysAsync("query-fdsets", null, """{"return": []}""");
        await FailsAsync("add-fd", null, "No file descriptor supplied via SCM_RIGHTS");
        using PassedEnd end = new();
        await FailsAsync("add-fd", """{"fdset-id": -1}""", "Parameter 'fdset-id' expects a non-negative value", end.Fd);
        await end.ClosedAsync();
        await SaysAsync("add-fd", """{"fdset-id": 1, "opaque": "one"}""", """{"return": {"fd": N, "fdset-id": 1}}""", _file);
        await SaysAsync("add-fd", "{}", """{"return": {"fd": N, "fdset-id": 0}}""", _file);
        await SaysAsync("add-fd", """{"opaque": ""}""", """{"return": {"fd": N, "fdset-id": 2}}""", _file);
        await SaysAsync("add-fd", """{"fdset-id": 1}""", """{"return": {"fd": N, "fdset-id": 1}}""", _readOnly);
        await SaysAsync("query-fdsets", null, """
            {"return": [{"fds": [{"fd": N, "opaque": ""}], "fdset-id": 2}, {"fds": [{"fd": N, "opaque": "one"}, {"fd": N}], "fdset-id": 1}, {"fds": [{"fd": N}], "fdset-id": 0}]}
            """);
        var sets = await Client.ExecuteAsync("query-fdsets");
        var first = sets[1].GetProperty("fds")[0].GetProperty("fd").GetInt32();
        await WorksAsync("remove-fd", $$"""{"fdset-id": 1, "fd": {{first}}}""");
        await FailsAsync("remove-fd", $$"""{"fdset-id": 1, "fd": {{first}}}""", $"File descriptor named 'fdset-id:1, fd:{first}' not found");
        await WorksAsync("remove-fd", """{"fdset-id": 1}""");
        await FailsAsync("remove-fd", """{"fdset-id": 1}""", "File descriptor named 'fdset-id:1' not found");
        await FailsAsync("remove-fd", "{}", "Parameter 'fdset-id' is missing");
        await SaysAsync("query-fdsets", null, """
            {"return": [{"fds": [{"fd": N, "opaque": ""}], "fdset-id": 2}, {"fds": [{"fd": N}], "fdset-id": 0}]}
            """);
    }

    [Test]
    public async Task ADiskWithoutANameIsWrittenThroughItsSet()
    {
        await AddAsync(7, _file);
        await WorksAsync("blockdev-add", File("disk0", 7));
        await WorksAsync("remove-fd", """{"fdset-id": 7}""");
        await WorksAsync("block-export-add", $$$"""
            {"type": "vhost-user-blk", "id": "e", "node-name": "disk0", "writable": true,
             "addr": {"type": "unix", "path": "{{{Folder.File("disk.sock")}}}"}}
            """);
        using GuestRam ram = new();
        using var frontEnd = FrontEnd.Connect(Folder.File("disk.sock"));
        frontEnd.Negotiate(ulong.MaxValue & ~FrontEnd.FeaturePacked & ~FrontEnd.FeatureEventIndex);
        frontEnd.SetMemory(ram);
        using var ring = RingDriver.Create(ram, 64, packed: false, eventIndex: false);
        frontEnd.StartRing(0, ring);
        var data = new byte[512];
        data.AsSpan().Fill(0xa5);
        Assert.That(new BlkDriver(ring).Write(3, data).Status, Is.Zero);
        var seen = new byte[512];
        Assert.That(RandomAccess.Read(new Microsoft.Win32.SafeHandles.SafeFileHandle(_file, ownsHandle: false), seen, 3 * 512), Is.EqualTo(512));
        Assert.That(seen, Is.EqualTo(data));
    }

    [Test]
    public async Task TheDescriptorWithTheRightAccessIsTaken()
    {
        await AddAsync(1, _readOnly);
        await FailsAsync("blockdev-add", File("n", 1), "Failed to find file descriptor with matching flags=0x2");
        await WorksAsync("blockdev-add", File("n", 1, """, "read-only": true"""));
        await WorksAsync("blockdev-add", File("o", 1, """, "auto-read-only": true"""));
        await AddAsync(1, _file);
        await WorksAsync("blockdev-add", File("p", 1));
        await FailsAsync("blockdev-add", File("q", 1, """, "cache": {"direct": true}"""), $"Failed to find file descriptor with matching flags=0x{Libc.O_RDWR | Libc.O_DIRECT:x}");
        await FailsAsync("blockdev-add", File("q", 99), "Failed to find fdset /dev/fdset/99");
    }

    [TestCase("x")]
    [TestCase("")]
    [TestCase("-1")]
    [TestCase("1x")]
    [TestCase("2147483648")]
    public async Task NamesOfNoSetAreRefused(string number)
    {
        await AddAsync(1, _file);
        await FailsAsync("blockdev-add", $$"""{"driver": "file", "node-name": "n", "filename": "/dev/fdset/{{number}}"}""", $"Could not parse fdset /dev/fdset/{number}");
    }

    [Test]
    public async Task WhatIsNoFileIsClosed()
    {
        using PassedEnd end = new();
        await AddAsync(1, end.Fd);
        await FailsAsync("blockdev-add", File("n", 1), "'file' driver requires '/dev/fdset/1' to be a regular file");
        await WorksAsync("remove-fd", """{"fdset-id": 1}""");
        await end.ClosedAsync();
    }

    [Test]
    public async Task AFileIsReopenedFromItsSet()
    {
        await AddAsync(1, _file);
        await WorksAsync("blockdev-add", File("n", 1));
        await FailsAsync("blockdev-reopen", Reopen(File("n", 1, """, "read-only": true""")), "Failed to find file descriptor with matching flags=0x0");
        await AddAsync(1, _readOnly);
        await WorksAsync("blockdev-reopen", Reopen(File("n", 1, """, "read-only": true""")));
        await WorksAsync("blockdev-reopen", Reopen(File("n", 1)));
        await WorksAsync("block_resize", $$"""{"node-name": "n", "size": {{2 * Size}}}""");
        Assert.That(Libc.Fstat(_file, out var status), Is.Zero);
        Assert.That(status.Size, Is.EqualTo(2 * Size));
    }

    [Test]
    public async Task ASetWithoutDescriptorsStaysWhileItIsUsed()
    {
        await AddAsync(1, _file);
        await WorksAsync("blockdev-add", File("n", 1));
        await WorksAsync("blockdev-add", File("o", 1));
        await WorksAsync("remove-fd", """{"fdset-id": 1}""");
        await SaysAsync("query-fdsets", null, """{"return": [{"fds": [], "fdset-id": 1}]}""");
        await FailsAsync("blockdev-add", File("p", 1), "Failed to find file descriptor with matching flags=0x2");
        await WorksAsync("blockdev-del", """{"node-name": "n"}""");
        await SaysAsync("query-fdsets", null, """{"return": [{"fds": [], "fdset-id": 1}]}""");
        await WorksAsync("blockdev-del", """{"node-name": "o"}""");
        await SaysAsync("query-fdsets", null, """{"return": []}""");
        Assert.That(OpenFiles(), Has.None.Contains(Folder.File("disk")));
    }

    [Test]
    public async Task NoLockStaysWhenTheDiskIsGone()
    {
        await AddAsync(1, _file);
        await AddAsync(1, _readOnly);
        await WorksAsync("blockdev-add", File("n", 1, """, "locking": "on" """));
        await WorksAsync("block-export-add", $$$"""
            {"type": "vhost-user-blk", "id": "e", "node-name": "n", "writable": true,
             "addr": {"type": "unix", "path": "{{{Folder.File("disk.sock")}}}"}}
            """);
        Assert.That(IsLocked(), Is.True);
        _ = await Client.ExecuteAsync("block-export-del", """{"id": "e"}""");
        Assert.That(IsLocked(), Is.False);
        _ = await Client.ExecuteAsync("blockdev-del", """{"node-name": "n"}""");

        bool IsLocked()
        {
            // Asked through another description than the one that is shared.
            FileLock any = new() { Type = Libc.F_WRLCK, Start = 100, Length = 200 };
            using var other = System.IO.File.OpenHandle($"/proc/self/fd/{_file}", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            Assert.That(Libc.FcntlLock((int)other.DangerousGetHandle(), Libc.F_OFD_GETLK, ref any), Is.Zero);
            return any.Type != Libc.F_UNLCK;
        }
    }

    [Test]
    public async Task CharacterDevicesUseSets()
    {
        var output = Open("out", Libc.O_WRONLY | Libc.O_CREAT);
        await AddAsync(1, output);
        await AddAsync(2, _readOnly);
        await WorksAsync("chardev-add", FileChardev("a", "/dev/fdset/1", """, "in": "/dev/fdset/2" """));
        await WorksAsync("chardev-add", FileChardev("b", "/dev/null", """, "logfile": "/dev/fdset/1" """));
        await FailsAsync("chardev-add", FileChardev("c", "/dev/fdset/2", ""), "Failed to add chardev 'c': Could not open '/dev/fdset/2': Permission denied");
        await FailsAsync("chardev-add", FileChardev("c", "/dev/fdset/3", ""), "Failed to add chardev 'c': Could not open '/dev/fdset/3': No such file or directory");
        await FailsAsync("chardev-add", FileChardev("c", "/dev/null", """, "logfile": "/dev/fdset/2" """), "Failed to add chardev 'c': Failed to find file descriptor with matching flags=0x241");

        // What is written arrives in the file that was passed: a monitor greets.
        await WorksAsync("object-add", """{"qom-type": "monitor-qmp", "id": "m", "chardev": "a"}""");
        await WorksAsync("remove-fd", """{"fdset-id": 1}""");
        await SaysAsync("query-fdsets", null, """{"return": [{"fds": [{"fd": N}], "fdset-id": 2}, {"fds": [], "fdset-id": 1}]}""");
        await WorksAsync("chardev-remove", """{"id": "b"}""");
        await WorksAsync("object-del", """{"id": "m"}""");
        await WorksAsync("chardev-remove", """{"id": "a"}""");
        Assert.That(System.IO.File.ReadAllText(Folder.File("out")), Does.StartWith("{\"QMP\""));
        _ = Libc.Close(output);
    }

    private static string File(string node, int set, string more = "") =>
        $$"""{"driver": "file", "node-name": "{{node}}", "filename": "/dev/fdset/{{set}}"{{more}}}""";

    private static string Reopen(string options) => $$"""{"options": [{{options}}]}""";

    private static string FileChardev(string id, string path, string more) =>
        $$$$"""{"id": "{{{{id}}}}", "backend": {"type": "file", "data": {"out": "{{{{path}}}}"{{{{more}}}} }}}""";

    private Task AddAsync(int set, int fd) =>
        SaysAsync("add-fd", $$"""{"fdset-id": {{set}}}""", $$$"""{"return": {"fd": N, "fdset-id": {{{set}}}}}""", fd);
}
