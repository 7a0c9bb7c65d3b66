using System.Text.RegularExpressions;
using Qmp.Aio;
using Qmp.Testing;

namespace Qmp.Daemon.Tests.Descriptors;

/// <summary>A daemon with a client, for tests of what is passed to it.</summary>
public abstract partial class DescriptorTest
{
    private protected WorkFolder Folder { get; private set; } = null!;

    private protected Qmp.Testing.Daemon Daemon { get; private set; } = null!;

    private protected QmpLineClient Client { get; private set; } = null!;

    [SetUp]
    public async Task StartAsync()
    {
        Folder = new WorkFolder();
        Daemon = await Qmp.Testing.Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, Folder.Path);
        Client = await Daemon.ConnectAsync();
    }

    [TearDown]
    public async Task StopAsync()
    {
        await Client.DisposeAsync();
        await Daemon.DisposeAsync();
        Folder.Dispose();
    }

    /// <summary>The text of a command.</summary>
    private protected static string Command(string name, string? arguments = null) =>
        arguments is null ? $$"""{"execute": "{{name}}"}""" : $$"""{"execute": "{{name}}", "arguments": {{arguments}}}""";

    /// <summary>Says something, with descriptors, and expects an answer, in which numbers of descriptors are N.</summary>
    private protected async Task SaysAsync(string command, string? arguments, string answer, params int[] descriptors)
    {
        Client.SendWithDescriptors(Command(command, arguments), descriptors);
        Assert.That(await AnswerAsync(), Is.EqualTo(answer), $"{command} {arguments}");
    }

    private protected Task FailsAsync(string command, string? arguments, string error, params int[] descriptors) =>
        SaysAsync(command, arguments, $$$"""{"error": {"class": "GenericError", "desc": "{{{error}}}"}}""", descriptors);

    private protected Task WorksAsync(string command, string? arguments, params int[] descriptors) =>
        SaysAsync(command, arguments, """{"return": {}}""", descriptors);

    private protected async Task<string> AnswerAsync() => Number().Replace(await Client.ReadLineAsync(), "\"fd\": N");

    /// <summary>Opens a file of the work folder.</summary>
    private protected int Open(string name, int flags) => Libc.Open(Folder.File(name), flags, 0x180);

    /// <summary>Names of what the daemon has open.</summary>
    private protected IEnumerable<string> OpenFiles() => Directory.GetFiles($"/proc/{Daemon.Pid}/fd")
        .Select(link => File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName).OfType<string>();

    [GeneratedRegex("\"fd\": [0-9]+")]
    private static partial Regex Number();
}
