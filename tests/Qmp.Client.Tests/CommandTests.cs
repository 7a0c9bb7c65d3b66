using System.Text.Json.Nodes;
using Qmp.Protocol;
using Qmp.Client.Schema;
using Qmp.Testing;

namespace Qmp.Client.Tests;

/// <summary>Typed and untyped commands, against our daemon and the one that it stands in for.</summary>
[TestFixture]
public sealed class CommandTests
{
    public static IEnumerable<DaemonProgram> Daemons =>
        [DaemonProgram.Qmpd, DaemonProgram.Peer ?? throw new InvalidOperationException("qemu-storage-daemon is not installed")];

    [TestCaseSource(nameof(Daemons))]
    public async Task GreetsAndAnswersTyped(DaemonProgram program)
    {
        await using var server = await TestServer.StartAsync(program);
        Assert.That(server.Client.State, Is.EqualTo(QmpConnectionState.Connected));
        Assert.That(server.Client.Greeting.Capabilities, Is.EqualTo(new[] { "oob" }));
        Assert.That(server.Client.Greeting.Version.Major, Is.GreaterThanOrEqualTo(7));

        var version = await server.Client.QueryVersionAsync();
        Assert.That(version.Qemu.Major, Is.EqualTo(server.Client.Greeting.Version.Major));
        await server.Client.BlockdevAddAsync(new BlockdevOptions
        {
            Driver = BlockdevDriver.NullCo,
            NodeName = "disk0",
            NullCo = new BlockdevOptionsNull { Size = 1 << 20 },
        });
        var nodes = await server.Client.QueryNamedBlockNodesAsync();
        Assert.That(nodes.Select(node => node.NodeName), Is.EqualTo(new[] { "disk0" }));
        await server.Client.BlockdevDelAsync("disk0");

        // Nothing of a branch need be set where all is optional.
        await server.Client.BlockdevAddAsync(new BlockdevOptions { Driver = BlockdevDriver.NullCo, NodeName = "disk0" });
        await server.Client.BlockdevDelAsync("disk0");
        Assert.That(await server.Client.QueryNamedBlockNodesAsync(flat: true), Is.Empty);
    }

    [TestCaseSource(nameof(Daemons))]
    public async Task AnyCommandCanBeCalledUntyped(DaemonProgram program)
    {
        await using var server = await TestServer.StartAsync(program);
        await server.Client.ExecuteAsync(
            "blockdev-add", new JsonObject { ["driver"] = "null-co", ["node-name"] = "disk0", ["size"] = 4096 });
        var nodes = await server.Client.ExecuteAsync("query-named-block-nodes", new JsonObject { ["flat"] = true });
        Assert.That(nodes[0].GetProperty("image").GetProperty("virtual-size").GetInt64(), Is.EqualTo(4096));
    }

    [TestCaseSource(nameof(Daemons))]
    public async Task ARefusalSaysWhatAndWhy(DaemonProgram program)
    {
        await using var server = await TestServer.StartAsync(program);
        var missing = (await Assert.ThrowsAsync<QmpCommandException>(() => server.Client.ExecuteAsync("no-such-command")))!;
        Assert.That(missing.ErrorClass, Is.EqualTo(ErrorClass.CommandNotFound));
        Assert.That(missing.Command, Is.EqualTo("no-such-command"));
        Assert.That(missing.Description, Is.EqualTo("The command no-such-command has not been found"));

        var failed = (await Assert.ThrowsAsync<QmpCommandException>(() => server.Client.BlockdevDelAsync("nothing")))!;
        Assert.That(failed.ErrorClass, Is.EqualTo(ErrorClass.GenericError));
        Assert.That(failed.Description, Does.Contain("nothing"));
    }
}
