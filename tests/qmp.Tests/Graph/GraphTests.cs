using System.Text.Json;
using System.Xml.Linq;
using Qmp.Testing;

namespace Qmp.Tool.Tests.Graph;

/// <summary><c>qmp graph</c> of both daemons, and of one that is played.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class GraphTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private static IEnumerable<DaemonProgram> Daemons() => [DaemonProgram.Qmpd, DaemonProgram.Peer!];

    [TestCaseSource(nameof(Daemons))]
    public async Task TheTextShowsRolesPermissionsAndExports(DaemonProgram program)
    {
        using var folder = new WorkFolder();
        await using var daemon = await StartAsync(program, folder);
        var result = await Tool.RunAsync(folder, "graph", "qmp.sock");
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((0, "")));
        // Only qmpd tells where things run.
        var loop = program == DaemonProgram.Qmpd ? "  loop loop0" : "";
        var main = program == DaemonProgram.Qmpd ? "  loop main" : "";
        Assert.That(result.Output, Is.EqualTo($"""
            e  export vhost-user-blk{loop}
            └── root (read, write; shares all) → disk  raw  1 MiB{loop}
                └── file (read, write; shares all) → file0  file  1 MiB{loop}  a.img
            spare  null-co  1 GiB  read-only{main}

            """));
    }

    [TestCaseSource(nameof(Daemons))]
    public async Task TheImageHasABoxForEverythingAndNothingCoversAnything(DaemonProgram program)
    {
        using var folder = new WorkFolder();
        await using var daemon = await StartAsync(program, folder);
        var result = await Tool.RunAsync(folder, "graph", "qmp.sock", "--output", "g.svg");
        Assert.That((result.ExitCode, result.Output, result.Error), Is.EqualTo((0, "", "")));
        var image = XDocument.Load(folder.File("g.svg")).Root!;
        var words = image.Descendants(Svg + "text").Select(text => text.Value).ToList();
        Assert.That(words, Is.SupersetOf(new[] { "e", "export vhost-user-blk", "disk", "raw  ·  1 MiB", "file0", "root", "file", "read, write", "spare", "null-co  ·  1 GiB  ·  read-only" }));
        Assert.That(words.Contains("loop loop0"), Is.EqualTo(program == DaemonProgram.Qmpd));
        AssertNothingOverlaps(image);
    }

    [Test]
    public async Task ABranchedGraphIsDrawnWithoutOverlap()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Peer!, folder.Path,
            "--blockdev", "null-co,node-name=base,size=1048576,read-only=on",
            "--blockdev", "null-co,node-name=x,size=1048576", "--blockdev", "null-co,node-name=y,size=1048576", "--blockdev", "null-co,node-name=target,size=1048576",
            "--blockdev", """{"driver": "quorum", "node-name": "top", "vote-threshold": 1, "children": ["x", "y"]}""",
            "--blockdev", "raw,node-name=other,file=base,read-only=on", "--blockdev", "raw,node-name=raw,file=base,read-only=on");
        await using (var client = await daemon.ConnectAsync())
        {
            await client.ExecuteAsync("blockdev-mirror", """{"job-id": "job", "device": "top", "target": "target", "sync": "full", "speed": 1}""");
        }

        var text = await Tool.RunAsync(folder, "graph", "qmp.sock");
        Assert.That(text.Output, Does.Contain("└── file (none; shares all) → base (above)\n"), text.Error);
        Assert.That(text.Output, Does.Contain("job  job\n").And.Contain("├── children.0 (").And.Contain("└── children.1 ("));
        var result = await Tool.RunAsync(folder, "graph", "qmp.sock", "--format", "svg");
        AssertNothingOverlaps(XDocument.Parse(result.Output).Root!);
        var dot = await Tool.RunAsync(folder, "graph", "qmp.sock", "--format", "dot");
        Assert.That(dot.Output, Does.StartWith("digraph blocks {\n").And.Match("b\\d+ -> b\\d+ \\[label=\"children\\.1\\\\nread").And.EndWith("}\n"));
    }

    [Test]
    public async Task WhatWasAskedIsJson()
    {
        using var folder = new WorkFolder();
        await using var daemon = await StartAsync(DaemonProgram.Qmpd, folder);
        var result = await Tool.RunAsync(folder, "graph", "--json", "qmp.sock");
        var graph = JsonDocument.Parse(result.Output).RootElement;
        var boxes = graph.GetProperty("boxes").EnumerateArray().Select(box => $"{box.GetProperty("kind")} {box.GetProperty("name")} {box.GetProperty("loop")}").ToList();
        Assert.That(boxes, Is.EquivalentTo(new[] { "node file0 loop0", "node disk loop0", "node spare main", "export e loop0" }));
        var edge = graph.GetProperty("edges").EnumerateArray().Single(edge => edge.GetProperty("role").GetString() == "file");
        Assert.That(boxes[edge.GetProperty("parent").GetInt32()], Is.EqualTo("node disk loop0"));
        Assert.That(boxes[edge.GetProperty("child").GetInt32()], Is.EqualTo("node file0 loop0"));
    }

    /// <summary>A server may say anything: circles, unknown ends, control characters, nonsense.</summary>
    [TestCase("""{"nodes": [{"id": 1, "type": "block-driver", "name": "a"}, {"id": 2, "type": "block-driver", "name": "b<\u001b&\""}], "edges": [{"parent": 1, "child": 2, "name": "r", "perm": [], "shared-perm": ["x"]}, {"parent": 2, "child": 1, "name": "r", "perm": [], "shared-perm": []}, {"parent": 2, "child": 9, "name": "r", "perm": [], "shared-perm": []}]}""", 0, "")]
    [TestCase("""{"nodes": 5, "edges": []}""", 3, "qmp: the server's block graph cannot be read: ")]
    public async Task AnOddGraphIsDrawnOrRefused(string graph, int status, string error)
    {
        using var folder = new WorkFolder();
        File.WriteAllText(folder.File("s.qmp"), $$$"""
            <- {"QMP": {"version": "$VERSION", "capabilities": []}}
            -> {"execute": "qmp_capabilities"}
            <- {"return": {}}
            -> {"execute": "x-debug-query-block-graph"}
            <- {"return": {{{graph}}}}
            -> {"execute": "query-named-block-nodes", "arguments": {"flat": true}}
            <- {"return": []}
            -> {"execute": "query-block-exports"}
            <- {"error": {"class": "CommandNotFound", "desc": "no"}}
            -> {"execute": "query-block-activity"}
            <- {"error": {"class": "CommandNotFound", "desc": "no"}}
            """);
        foreach (var format in new[] { "text", "svg", "dot" })
        {
            var serving = Tool.Start(folder, "serve", "s.qmp", folder.File("l.sock"), "--timeout", "60");
            await Tool.WaitForSocketAsync(serving, folder, "l.sock");
            var result = await Tool.RunAsync(folder, "graph", "l.sock", "--format", format);
            Assert.That(result.ExitCode, Is.EqualTo(status), result.Error);
            Assert.That(result.Error, Does.StartWith(error));
            Assert.That(result.Output, Does.Not.Contain("\u001b"));
            if (format == "svg" && status == 0)
            {
                Assert.That(XDocument.Parse(result.Output).Root!.Descendants(Svg + "text").Select(text => text.Value), Does.Contain("b<\\u001B&\""));
            }

            await Tool.EndAsync(serving);
        }
    }

    [Test]
    public async Task AServerWithoutBlocksSaysSo()
    {
        using var folder = new WorkFolder();
        File.WriteAllText(folder.File("s.qmp"), """
            <- {"QMP": {"version": "$VERSION", "capabilities": []}}
            -> {"execute": "qmp_capabilities"}
            <- {"return": {}}
            -> {"execute": "x-debug-query-block-graph"}
            <- {"error": {"class": "CommandNotFound", "desc": "The command x-debug-query-block-graph has not been found"}}
            """);
        var serving = Tool.Start(folder, "serve", "s.qmp", folder.File("l.sock"), "--timeout", "60");
        await Tool.WaitForSocketAsync(serving, folder, "l.sock");
        var result = await Tool.RunAsync(folder, "graph", "l.sock");
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((1, "qmp: CommandNotFound: The command x-debug-query-block-graph has not been found\n")));
        await Tool.EndAsync(serving);
    }

    private static async Task<Daemon> StartAsync(DaemonProgram program, WorkFolder folder)
    {
        await using (var image = File.Create(folder.File("a.img")))
        {
            image.SetLength(1 << 20);
        }

        return await Daemon.StartWithMonitorAsync(program, folder.Path,
            "--object", "iothread,id=loop0",
            "--blockdev", "driver=null-co,node-name=spare,size=1073741824,read-only=on",
            "--blockdev", "driver=file,node-name=file0,filename=a.img", "--blockdev", "driver=raw,node-name=disk,file=file0",
            "--export", $"vhost-user-blk,id=e,node-name=disk,writable=on,iothread=loop0,addr.type=unix,addr.path={folder.File("v.sock")}");
    }

    /// <summary>No box or label lies over another one, and all lie in the image.</summary>
    private static void AssertNothingOverlaps(XElement image)
    {
        var group = image.Element(Svg + "g")!;
        var shift = group.Attribute("transform")!.Value["translate(".Length..^1].Split(' ').Select(double.Parse).ToArray();
        var places = group.Descendants(Svg + "rect").Select(rect => (X: Number(rect, "x") + shift[0], Y: Number(rect, "y") + shift[1], W: Number(rect, "width"), H: Number(rect, "height"))).ToList();
        Assert.That(places, Has.Count.GreaterThan(4));
        foreach (var (i, a) in places.Index())
        {
            Assert.That(a.X >= 0 && a.Y >= 0 && a.X + a.W <= Number(image, "width") && a.Y + a.H <= Number(image, "height"), $"{a} in the image");
            foreach (var b in places.Skip(i + 1))
            {
                Assert.That(a.X < b.X + b.W && b.X < a.X + a.W && a.Y < b.Y + b.H && b.Y < a.Y + a.H, Is.False, $"{a} over {b}");
            }
        }
    }

    private static double Number(XElement element, string name) => double.Parse(element.Attribute(name)!.Value);
}
