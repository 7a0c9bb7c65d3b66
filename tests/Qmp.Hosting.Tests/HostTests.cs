using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Nerdbank.Streams;
using Qmp.Client;
using Qmp.Hosting.Tests.Schema;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Testing;

namespace Qmp.Hosting.Tests;

/// <summary>A server with commands of its own, as its clients see it.</summary>
[TestFixture]
public sealed class HostTests
{
    [Test]
    public async Task AnswersItsOwnCommandsAndThoseOfEveryServer()
    {
        using var folder = new WorkFolder();
        var lamp = new TestLamp();
        var version = new VersionInfo { Qemu = new VersionTriple { Major = 1, Minor = 2, Micro = 3 }, Package = "lamp" };
        await using var host = TestLamp.NewHost(lamp, new QmpHostOptions { Version = version });
        host.ListenUnix(folder.File("lamp.sock"));
        Assert.That(File.GetUnixFileMode(folder.File("lamp.sock")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));

        await using var client = await QmpClient.ConnectAsync(folder.File("lamp.sock"));
        Assert.That((client.Greeting.Version, client.Greeting.Package), Is.EqualTo((new Version(1, 2, 3), "lamp")));
        Assert.That((await client.ExecuteAsync("query-lamp")).GetRawText(), Is.EqualTo("""{"on": true, "colour": "red"}"""));
        Assert.That((await client.QueryVersionAsync()).Package, Is.EqualTo("lamp"));
        Assert.That((await client.QueryCommandsAsync()).Select(command => command.Name), Is.EqualTo(
            new[] { "qmp_capabilities", "query-version", "query-commands", "quit", "query-qmp-schema", "lamp-set", "query-lamp" }));
        var schema = await client.QueryQmpSchemaAsync();
        Assert.That(schema.EnumerateArray().Select(item => item.GetProperty("name").GetString()),
            Is.SupersetOf(new[] { "qmp_capabilities", "lamp-set", "LAMP_CHANGED" }));
    }

    [Test]
    public async Task BadArgumentsAndFaultsAreErrors()
    {
        var log = new List<string>();
        await using var host = TestLamp.NewHost(new TestLamp(), new QmpHostOptions { Log = log.Add });
        await using var client = await ConnectAsync(host);
        var refused = (await Assert.ThrowsAsync<QmpCommandException>(
            () => client.ExecuteAsync("lamp-set", new JsonObject { ["on"] = true, ["colour"] = "green" })))!;
        Assert.That(refused.Description, Is.EqualTo("Parameter 'colour' does not accept value 'green'"));
        refused = (await Assert.ThrowsAsync<QmpCommandException>(() => client.ExecuteAsync("lamp-set", new JsonObject { ["on"] = false })))!;
        Assert.That((refused.ErrorClass, refused.Description), Is.EqualTo((ErrorClass.GenericError, "internal error")));
        Assert.That(log, Has.One.Contains("a fault of the handler"));
    }

    [Test]
    public async Task EventsGoToEveryClientAndHandlersRunOnOneThread()
    {
        var lamp = new TestLamp();
        await using var host = TestLamp.NewHost(lamp);
        await using var first = await ConnectAsync(host);
        await using var second = await ConnectAsync(host);
        using var events = second.Subscribe("LAMP_CHANGED");
        var bulb = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lamp.Bulb = bulb.Task;
        var query = first.ExecuteAsync("query-lamp");
        await second.ExecuteAsync("lamp-set", new JsonObject { ["on"] = true });
        Assert.That((await events.NextAsync()).Data.GetProperty("on").GetBoolean(), Is.True);
        Assert.That(query.IsCompleted, Is.False, "one client's slow command holds up no other client");
        bulb.SetResult();
        await query;
        Assert.That(lamp.Threads, Has.Count.EqualTo(1));

        host.Emit(Schema.QmpEvents.LampChanged(new LampState { On = false, Colour = LampColour.Red }));
        Assert.That((await events.NextAsync()).Data.GetProperty("colour").GetString(), Is.EqualTo("red"));
    }

    [Test]
    public async Task QuitIsAnsweredBeforeTheEnd()
    {
        using var folder = new WorkFolder();
        var host = TestLamp.NewHost(new TestLamp());
        host.ListenUnix(folder.File("lamp.sock"));
        await using var client = await QmpClient.ConnectAsync(folder.File("lamp.sock"));
        using var events = client.Subscribe();
        await client.QuitAsync();
        await host.QuitRequested;
        await host.DisposeAsync();
        await Assert.ThrowsAsync<QmpConnectionException>(async () => await events.NextAsync());
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Path), Is.Empty);
    }

    [Test]
    public async Task ASocketInUseIsLeftAloneAndADeadOneReplaced()
    {
        using var folder = new WorkFolder();
        var path = folder.File("lamp.sock");
        await using var host = TestLamp.NewHost(new TestLamp());
        host.ListenUnix(path);
        await using var other = TestLamp.NewHost(new TestLamp());
        Assert.Throws<System.Net.Sockets.SocketException>(() => other.ListenUnix(path));

        await File.WriteAllTextAsync(folder.File("file"), "precious");
        Assert.Throws<System.Net.Sockets.SocketException>(() => other.ListenUnix(folder.File("file")));
        Assert.That(await File.ReadAllTextAsync(folder.File("file")), Is.EqualTo("precious"));

        await using (var killed = Daemon.Start(SampleTests.Sample("LampServer"), folder.Path, folder.File("dead.sock")))
        {
            await killed.WaitForSocketAsync("dead.sock");
            await killed.KillAsync();
        }

        Assert.That(File.Exists(folder.File("dead.sock")), Is.True);
        other.ListenUnix(folder.File("dead.sock"));
        await using var client = await QmpClient.ConnectAsync(folder.File("dead.sock"));
    }

    [Test]
    public async Task NoMoreClientsThanAllowed()
    {
        await using var host = TestLamp.NewHost(new TestLamp(), new QmpHostOptions { MaxConnections = 1 });
        var address = (IPEndPoint)host.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        await using var client = await QmpClient.ConnectAsync($"tcp:127.0.0.1:{address.Port}");
        await Assert.ThrowsAsync<QmpConnectionException>(() => QmpClient.ConnectAsync($"tcp:127.0.0.1:{address.Port}"));
        Assert.That((await client.QueryVersionAsync()).Package, Is.Not.Empty);
    }

    [Test]
    public async Task RunsInAHostUntilAClientQuits()
    {
        using var folder = new WorkFolder();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TestLamp>();
        builder.Services.AddQmpServer(folder.File("lamp.sock"), static (services, host) => new Schema.QmpCommandTable(
            host.Control, QmpHost.Introspection(Schema.QmpIntrospection.Instance), services.GetRequiredService<TestLamp>()));
        using var program = builder.Build();
        await program.StartAsync();
        await using var client = await QmpClient.ConnectAsync(folder.File("lamp.sock"));
        Assert.That((await client.ExecuteAsync("query-lamp")).GetProperty("on").GetBoolean(), Is.True);
        await client.QuitAsync();
        await program.WaitForShutdownAsync();
        Assert.That(File.Exists(folder.File("lamp.sock")), Is.False);
    }

    private static Task<QmpClient> ConnectAsync(QmpHost host)
    {
        var (near, far) = FullDuplexStream.CreatePipePair();
        host.Serve(far);
        return QmpClient.ConnectAsync(QmpEndpoint.Pipe(near));
    }
}
