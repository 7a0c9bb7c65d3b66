using Qmp.Aio;

namespace Qmp.Block.Tests;

/// <summary>Who may use a node with whom.</summary>
public sealed class PermissionTests() : BlockTestBase(AioEngineKind.Threads)
{
    [Test]
    public async Task Needs_go_down_the_tree_and_are_given_back()
    {
        await Main.Enter();
        await Graph.OpenAsync(FileOptions("f", MakeFile("a.img", 1 << 20)));
        var raw = await Graph.OpenAsync(RawOptions("r", "f"));
        var window = await Graph.OpenAsync(RawOptions("w", "f", 512));
        Assert.That(EdgeOf(raw), Is.EqualTo((BlockPermissions.None, BlockPermissions.All)));
        Assert.That(EdgeOf(window), Is.EqualTo((BlockPermissions.None, BlockPermissions.All & ~BlockPermissions.Resize)));
        var writer = await UseAsync(window);
        Assert.That(EdgeOf(window).Permissions, Is.EqualTo(BlockPermissions.ConsistentRead | BlockPermissions.Write));
        await writer.CloseAsync();
        Assert.That(EdgeOf(window).Permissions, Is.EqualTo(BlockPermissions.None));
    }

    [Test]
    public async Task Users_that_do_not_go_together_are_named_and_the_first_stays()
    {
        await Main.Enter();
        var file = await Graph.OpenAsync(FileOptions("f", MakeFile("a.img", 1 << 20)));
        var raw = await Graph.OpenAsync(RawOptions("r", "f"));
        var reader = await UseAsync(file, BlockPermissions.ConsistentRead, BlockPermissions.ConsistentRead);
        Assert.That(
            await ErrorOf(() => UseAsync(raw)),
            Is.EqualTo("Permission conflict on node 'f': permissions 'write' are both required by node 'r' (uses node 'f' as 'file' child) "
                + "and unshared by an unnamed block device (uses node 'f' as 'root' child)."));
        Assert.That(
            await ErrorOf(() => UseAsync(file, BlockPermissions.Write | BlockPermissions.Resize)),
            Is.EqualTo("Permission conflict on node 'f': permissions 'write, resize' are both required by an unnamed block device "
                + "(uses node 'f' as 'root' child) and unshared by an unnamed block device (uses node 'f' as 'root' child)."));
        Assert.That(raw.Parents, Is.Empty);
        Assert.That(EdgeOf(raw).Permissions, Is.EqualTo(BlockPermissions.None), "nothing is left of the attempt");
        await reader.CloseAsync();
        Assert.That((await UseAsync(raw)).ReadOnly, Is.False);
    }

    [Test]
    public async Task A_node_below_that_cannot_be_written_refuses_writers_above()
    {
        await Main.Enter();
        var options = FileOptions("f", MakeFile("a.img", 1 << 20));
        options.ReadOnly = true;
        await Graph.OpenAsync(options);
        var raw = await Graph.OpenAsync(RawOptions("r", "f"));
        Assert.That(await ErrorOf(() => UseAsync(raw)), Is.EqualTo("Block node is read-only"));
        var reader = await UseAsync(raw, BlockPermissions.ConsistentRead);
        Assert.That(await reader.ReadAsync(0, new byte[512]), Is.Zero);
    }

    private static (BlockPermissions Permissions, BlockPermissions Shared) EdgeOf(BlockNode parent)
        => (parent.Children[0].Permissions, parent.Children[0].Shared);
}
