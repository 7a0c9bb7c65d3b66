using System.Diagnostics;
using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Testing;

namespace Qmp.Block.Tests;

/// <summary>Images locked against other processes: we and the tools of QEMU refuse each other.</summary>
public sealed class LockTests() : BlockTestBase(AioEngineKind.Threads)
{
    [SetUp]
    public void RequireTools() => Assume.That(Shell.Find("qemu-img"), Is.Not.Null, "qemu-img is not installed");

    [Test]
    public async Task A_tool_cannot_write_what_we_do_not_share()
    {
        await Main.Enter();
        var path = MakeFile("a.img", 1 << 20);
        var backend = await UseAsync(
            await Graph.OpenAsync(FileOptions("f", path)), shared: BlockPermissions.ConsistentRead);
        var refused = await Shell.RunAsync("qemu-io -f raw -c 'write 0 4k' a.img", Folder.Path);
        Assert.That(refused.Output, Does.Contain("Failed to get \"write\" lock"));
        var readers = await Shell.RunAsync("qemu-io -r -f raw -c 'read 0 4k' a.img", Folder.Path);
        Assert.That(readers.ExitStatus, Is.Zero, readers.Output);

        await Main.Enter();
        await backend.CloseAsync();
        var accepted = await Shell.RunAsync("qemu-io -f raw -c 'write 0 4k' a.img", Folder.Path);
        Assert.That(accepted.ExitStatus, Is.Zero, accepted.Output);
    }

    [Test]
    public async Task A_tool_that_needs_the_image_still_finds_us_writing()
    {
        var folder = Folder.Path;
        await Shell.CheckAsync("qemu-img create -q -f qcow2 a.qcow2 1M", folder);
        await Main.Enter();
        var backend = await UseAsync(await Graph.OpenAsync(FileOptions("f", Folder.File("a.qcow2"))));
        var refused = await Shell.RunAsync("qemu-img info a.qcow2", folder);
        Assert.That(refused.ExitStatus, Is.Not.Zero);
        Assert.That(refused.Output, Does.Contain("Failed to get shared \"write\" lock"));
        await Main.Enter();
        await backend.CloseAsync();
        await Shell.CheckAsync("qemu-img info a.qcow2", folder);
    }

    [Test]
    public async Task A_tool_cannot_shorten_the_file_under_a_window()
    {
        await Main.Enter();
        await Graph.OpenAsync(FileOptions("f", MakeFile("a.img", 1 << 20)));
        await Graph.OpenAsync(RawOptions("r", "f", 4096));
        var refused = await Shell.RunAsync("qemu-img resize -f raw --shrink a.img 64k", Folder.Path);
        Assert.That(refused.Output, Does.Contain("Failed to get \"resize\" lock"));
        Assert.That(new FileInfo(Folder.File("a.img")).Length, Is.EqualTo(1 << 20));
        await Main.Enter();
        await Graph.DeleteAsync("r");
        await Shell.CheckAsync("qemu-img resize -q -f raw --shrink a.img 64k", Folder.Path);
    }

    [Test]
    public async Task We_refuse_what_a_daemon_of_QEMU_has_open()
    {
        Assume.That(DaemonProgram.Peer, Is.Not.Null, "qemu-storage-daemon is not installed");
        await Shell.CheckAsync("qemu-img create -q -f qcow2 a.qcow2 1M", Folder.Path);
        using (var peer = StartPeer())
        {
            await WaitForAsync(Folder.File("ready"), peer);
            await Main.Enter();
            var node = await Graph.OpenAsync(FileOptions("f", Folder.File("a.qcow2")));
            var e = await CatchAsync(() => UseAsync(node));
            Assert.That(e.Description, Is.EqualTo("Failed to get \"write\" lock"));
            Assert.That(e.Hint, Is.EqualTo($"Is another process using the image [{Folder.File("a.qcow2")}]?"));
            Assert.That(node.Parents, Is.Empty);
            e = await CatchAsync(() => UseAsync(
                node, BlockPermissions.None, BlockPermissions.All & ~BlockPermissions.Write));
            Assert.That(e.Description, Is.EqualTo("Failed to get shared \"write\" lock"));
            Assert.That(await ErrorOf(() => Graph.ResizeAsync(node, 512)), Is.EqualTo("Failed to get \"resize\" lock"));
            var reader = await UseAsync(node, BlockPermissions.ConsistentRead);
            await reader.CloseAsync();
            peer.Kill();
            await peer.WaitForExitAsync();
        }

        await Main.Enter();
        var writer = await UseAsync(Graph.Find("f"));
        await writer.CloseAsync();
    }

    [Test]
    public async Task Two_graphs_of_one_process_refuse_each_other_too()
    {
        await Main.Enter();
        var path = MakeFile("a.img", 1 << 20);
        var first = await UseAsync(await Graph.OpenAsync(FileOptions("f", path)), shared: BlockPermissions.ConsistentRead);
        BlockGraph other = new(Main);
        var node = await other.OpenAsync(FileOptions("f", path));
        Assert.That(
            await ErrorOf(() => BlockBackend.CreateAsync(other, node, "", BlockPermissions.Write, BlockPermissions.All, null)),
            Is.EqualTo("Failed to get \"write\" lock"));
        await first.CloseAsync();
        var second = await BlockBackend.CreateAsync(other, node, "", BlockPermissions.Write, BlockPermissions.All, null);
        await second.CloseAsync();
        await other.CloseAllAsync();
    }

    [Test]
    public async Task Without_locking_there_are_no_locks()
    {
        await Main.Enter();
        var options = FileOptions("f", MakeFile("a.img", 1 << 20));
        options.File!.Locking = OnOffAuto.Off;
        await UseAsync(await Graph.OpenAsync(options), shared: BlockPermissions.None);
        await Shell.CheckAsync("qemu-io -f raw -c 'write -q 0 4k' a.img", Folder.Path);
    }

    [Test]
    public async Task Locks_go_along_when_the_file_is_reopened()
    {
        await Main.Enter();
        var path = MakeFile("a.img", 1 << 20);
        var node = await Graph.OpenAsync(FileOptions("f", path));
        var backend = await UseAsync(node, shared: BlockPermissions.ConsistentRead);
        var direct = FileOptions("f", path);
        direct.Cache = new BlockdevCacheOptions { Direct = true };
        await Graph.ReopenAsync([direct]);
        var refused = await Shell.RunAsync("qemu-io -f raw -c 'write 0 4k' a.img", Folder.Path);
        Assert.That(refused.Output, Does.Contain("Failed to get \"write\" lock"));
        await Main.Enter();
        await backend.CloseAsync();
        await Shell.CheckAsync("qemu-io -f raw -c 'write -q 0 4k' a.img", Folder.Path);
    }

    private static async Task<QmpException> CatchAsync(Func<ValueTask<BlockBackend>> action)
    {
        try
        {
            await action();
        }
        catch (QmpException e)
        {
            return e;
        }

        throw new AssertionException("not refused");
    }

    private Process StartPeer()
    {
        // The pid file is written when everything is open.
        ProcessStartInfo start = new(
            DaemonProgram.Peer!.Path,
            ["--blockdev", "qcow2,node-name=q,file.driver=file,file.filename=a.qcow2",
             "--export", "vhost-user-blk,id=e,node-name=q,writable=on,addr.type=unix,addr.path=v.sock",
             "--pidfile", "ready"])
        {
            WorkingDirectory = Folder.Path,
        };
        return Process.Start(start)!;
    }

    private static async Task WaitForAsync(string path, Process process)
    {
        using CancellationTokenSource limit = new(Patience);
        while (!File.Exists(path))
        {
            Assert.That(process.HasExited, Is.False, "the peer ended");
            await Task.Delay(20, limit.Token);
        }
    }
}
