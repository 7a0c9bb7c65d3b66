using Qmp.Testing;

namespace Qmp.Hosting.Tests;

/// <summary>The samples LampServer and LampClient, as programs.</summary>
[TestFixture]
public sealed class SampleTests
{
    internal static DaemonProgram Sample(string name) =>
        new(name, Repository.PathOf("samples", name, "bin", Repository.Configuration, "net10.0", name));

    [Test]
    public async Task TheClientSwitchesTheLamp()
    {
        using var folder = new WorkFolder();
        var socket = folder.File("lamp.sock");
        await using var server = Daemon.Start(Sample("LampServer"), folder.Path, socket);
        await server.WaitForSocketAsync("lamp.sock");

        Assert.That(await RunAsync("on", "red"), Is.EqualTo((0, "the lamp is on, and red")));
        Assert.That(await RunAsync("off"), Is.EqualTo((0, "the lamp is off")));
        Assert.That(await RunAsync("off", "red"), Is.EqualTo((1, "lamp-set: A lamp that is off has no colour")));
        await Shell.CheckAsync("""(echo '{"execute": "qmp_capabilities"} {"execute": "quit"}'; cat) <&- | socat - UNIX:lamp.sock""", folder.Path);
        Assert.That(await server.WaitForExitAsync(), Is.Zero);
        Assert.That(File.Exists(socket), Is.False);

        async Task<(int, string)> RunAsync(params string[] arguments)
        {
            var result = await Shell.RunProgramAsync(Sample("LampClient").Path, [socket, .. arguments], folder.Path);
            return (result.ExitStatus, result.Output.TrimEnd());
        }
    }
}
