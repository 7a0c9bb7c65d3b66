using Qmp.Aio;
using Qmp.Protocol.Schema;

namespace Qmp.Block.Tests;

/// <summary>Opening, naming, finding and closing nodes; texts are those of the recorded sessions.</summary>
public sealed class GraphTests() : BlockTestBase(AioEngineKind.Threads)
{
    [TestCase("", "Invalid node-name: ''")]
    [TestCase("9a", "Invalid node-name: '9a'")]
    [TestCase("a b", "Invalid node-name: 'a b'")]
    [TestCase("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "Node name too long")]
    [TestCase("n", "Duplicate nodes with node-name='n'")]
    [TestCase(null, "'node-name' must be specified for the root node")]
    public async Task Names_are_checked(string? name, string error)
    {
        await Main.Enter();
        await Graph.OpenAsync(NullOptions("n", 512));
        Assert.That(await ErrorOf(() => Graph.OpenAsync(NullOptions(name!, 512))), Is.EqualTo(error));
        Assert.That(Graph.Nodes, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_query_that_outlives_its_node_finds_no_medium()
    {
        await Main.Enter();
        var file = await Graph.OpenAsync(FileOptions("f", MakeFile("a.img", 1 << 20)));
        var raw = await Graph.OpenAsync(RawOptions("r", "f"));
        var asked = raw.GetAllocatedBytesAsync();
        await Graph.DeleteAsync("r");
        await Graph.DeleteAsync("f");
        Assert.That(await asked, Is.Zero);
        Assert.That(await file.GetAllocatedBytesAsync(), Is.Negative);
    }

    [Test]
    public async Task A_file_that_is_not_there_is_named_and_not_made()
    {
        await Main.Enter();
        var path = Folder.File("nope.img");
        Assert.That(
            await ErrorOf(() => Graph.OpenAsync(FileOptions("f", path))),
            Is.EqualTo($"Could not open '{path}': No such file or directory"));
        Assert.That(File.Exists(path), Is.False);
        Assert.That(Graph.Nodes, Is.Empty);
    }

    [Test]
    public async Task Folders_pipes_and_devices_are_no_files()
    {
        await Main.Enter();
        Assert.That(await ErrorOf(() => Graph.OpenAsync(FileOptions("f", Folder.Path))), Is.EqualTo($"Could not open '{Folder.Path}': Is a directory"));
        Assert.That(
            await ErrorOf(() => Graph.OpenAsync(FileOptions("f", "/dev/zero"))),
            Is.EqualTo("'file' driver requires '/dev/zero' to be a regular file"));
        var pipe = Folder.File("pipe");
        Assert.That((await Qmp.Testing.Shell.RunAsync("mkfifo pipe", Folder.Path)).ExitStatus, Is.Zero);
        await Main.Enter();
        var options = FileOptions("f", pipe);
        options.ReadOnly = true;
        Assert.That(await ErrorOf(() => Graph.OpenAsync(options)), Is.EqualTo($"'file' driver requires '{pipe}' to be a regular file"));
        options = new BlockdevOptions { Driver = BlockdevDriver.HostDevice, NodeName = "h", HostDevice = new BlockdevOptionsFile { Filename = MakeFile("a.img", 512) } };
        Assert.That(
            await ErrorOf(() => Graph.OpenAsync(options)),
            Is.EqualTo($"'host_device' driver requires '{Folder.File("a.img")}' to be either a character or block device"));
    }

    [Test]
    public async Task A_definition_becomes_a_node_with_a_generated_name_that_goes_with_its_parent()
    {
        await Main.Enter();
        var path = MakeFile("a.img", 1 << 20);
        await Graph.OpenAsync(new BlockdevOptions
        {
            Driver = BlockdevDriver.Raw,
            NodeName = "r",
            Raw = new BlockdevOptionsRaw
            {
                File = new BlockdevRef { Definition = new BlockdevOptions { Driver = BlockdevDriver.File, File = new BlockdevOptionsFile { Filename = path } } },
            },
        });
        var child = Graph.Find("r").Children[0].Node;
        Assert.That(child.NodeName, Does.Match("^#block0[0-9]{2}$"));
        Assert.That(Graph.Nodes.Select(static node => node.NodeName), Is.EqualTo(new[] { child.NodeName, "r" }), "the file is opened first");
        Assert.That(await ErrorOf(() => Graph.DeleteAsync(child.NodeName)), Is.EqualTo($"Node {child.NodeName} is not owned by the monitor"));
        await Graph.DeleteAsync("r");
        Assert.That(Graph.Nodes, Is.Empty);
    }

    [Test]
    public async Task A_parent_that_cannot_be_takes_its_new_children_with_it()
    {
        await Main.Enter();
        await Graph.OpenAsync(NullOptions("n", 512));
        var options = new BlockdevOptions
        {
            Driver = BlockdevDriver.Raw,
            NodeName = "n",
            Raw = new BlockdevOptionsRaw { File = new BlockdevRef { Definition = NullOptions("q", 512) } },
        };
        Assert.That(await ErrorOf(() => Graph.OpenAsync(options)), Is.EqualTo("Duplicate nodes with node-name='n'"));
        Assert.That(Graph.Nodes.Select(static node => node.NodeName), Is.EqualTo(new[] { "n" }));
    }

    [Test]
    public async Task What_is_in_use_stays()
    {
        await Main.Enter();
        var node = await Graph.OpenAsync(NullOptions("n", 512));
        await Graph.OpenAsync(RawOptions("r", "n"));
        Assert.That(await ErrorOf(() => Graph.DeleteAsync("n")), Is.EqualTo("Block device n is in use"));
        Assert.That(await ErrorOf(() => Graph.DeleteAsync("nope")), Is.EqualTo("Failed to find node with node-name='nope'"));
        var backend = await UseAsync(node);
        Assert.That(await ErrorOf(() => Graph.DeleteAsync("n")), Is.EqualTo("Node n is in use"));
        await backend.CloseAsync();
        await Graph.DeleteAsync("r");
        await Graph.DeleteAsync("n");
        Assert.That(Graph.Nodes, Is.Empty);
    }

    [TestCase(null, 1048576L + 512, "The sum of offset (0) and size (1049088) has to be smaller or equal to the  actual size of the containing file (1048576)")]
    [TestCase(2097152L, null, "Offset (2097152) cannot be greater than size of the containing file (1048576)")]
    [TestCase(0L, 511L, "Specified size is not multiple of 512")]
    [TestCase(-512L, null, "Value '-512' is out of range for parameter 'offset'")]
    [TestCase(null, -512L, "Value '-512' is out of range for parameter 'size'")]
    public async Task A_window_must_fit(long? offset, long? size, string error)
    {
        await Main.Enter();
        await Graph.OpenAsync(FileOptions("f", MakeFile("a.img", 1 << 20)));
        Assert.That(await ErrorOf(() => Graph.OpenAsync(RawOptions("r", "f", offset, size))), Is.EqualTo(error));
        Assert.That(await ErrorOf(() => Graph.OpenAsync(RawOptions("f", "f", offset, size))), Is.EqualTo("Duplicate nodes with node-name='f'"), "names are checked first");
        Assert.That(Graph.Find("f").Parents, Is.Empty);
        Assert.That(await ErrorOf(() => Graph.OpenAsync(RawOptions("r", "nope"))), Is.EqualTo("Cannot find device='nope' nor node-name='nope'"));
    }

    [Test]
    public async Task Names_of_files_say_how_to_open_them_again()
    {
        await Main.Enter();
        var path = MakeFile("a.img", 1 << 20);
        var file = await Graph.OpenAsync(FileOptions("f", path));
        var raw = await Graph.OpenAsync(RawOptions("r", "f"));
        var window = await Graph.OpenAsync(RawOptions("w", "f", 1));
        var plain = await Graph.OpenAsync(new BlockdevOptions { Driver = BlockdevDriver.NullCo, NodeName = "n", NullCo = new BlockdevOptionsNull() });
        var zeroes = await Graph.OpenAsync(NullOptions("z", 1 << 20));
        Assert.That(file.FileName, Is.EqualTo(path));
        Assert.That(raw.FileName, Is.EqualTo(path));
        Assert.That(window.FileName, Is.EqualTo($$$"""json:{"offset": 1, "driver": "raw", "file": {"driver": "file", "filename": "{{{path}}}"}}"""));
        Assert.That(plain.FileName, Is.EqualTo("null-co://"));
        Assert.That(plain.LengthBytes, Is.EqualTo(1L << 30));
        Assert.That(zeroes.FileName, Is.EqualTo("""json:{"driver": "null-co", "size": 1048576}"""));
        Assert.That(window.LengthBytes, Is.EqualTo(1 << 20), "whole sectors");
    }

    [Test]
    public async Task Options_that_contradict_each_other_are_refused()
    {
        await Main.Enter();
        var forced = NullOptions("n", 512);
        forced.ForceShare = true;
        Assert.That(await ErrorOf(() => Graph.OpenAsync(forced)), Is.EqualTo("force-share=on can only be used with read-only images"));
        var detecting = NullOptions("n", 512);
        detecting.DetectZeroes = BlockdevDetectZeroesOptions.Unmap;
        Assert.That(
            await ErrorOf(() => Graph.OpenAsync(detecting)),
            Is.EqualTo("setting detect-zeroes to unmap is not allowed without setting discard operation to unmap"));
        var native = FileOptions("f", MakeFile("a.img", 512));
        native.File!.Aio = BlockdevAioOptions.Native;
        Assert.That(
            await ErrorOf(() => Graph.OpenAsync(native)),
            Is.EqualTo("aio=native was specified, but it requires cache.direct=on, which was not specified."));
        Assert.That(await ErrorOf(() => Graph.OpenAsync(NullOptions("n", -512))), Is.EqualTo("Parameter 'size' expects a non-negative size"));
        var slow = NullOptions("n", 512, latencyNs: ulong.MaxValue);
        Assert.That(await ErrorOf(() => Graph.OpenAsync(slow)), Is.EqualTo("latency-ns is invalid"));
    }

    [Test]
    public async Task An_inactive_node_cannot_be_changed_or_carry_an_active_one()
    {
        await Main.Enter();
        var options = NullOptions("n", 1024);
        options.Active = false;
        var node = await Graph.OpenAsync(options);
        Assert.That(await ErrorOf(() => Graph.ResizeAsync(node, 512)), Is.EqualTo("Permission 'resize' unavailable on inactive node"));
        Assert.That(await ErrorOf(() => Graph.OpenAsync(RawOptions("r", "n"))), Is.EqualTo("Inactive 'n' can't be a file child of active 'r'"));
    }
}
