using System.Diagnostics;
using Qmp.Testing;

namespace Qmp.Daemon.Tests.Process;

/// <summary>The daemon without options, in a runtime folder of its own.</summary>
public class DefaultStartTests
{
    private WorkFolder _runtime = null!;

    private string Folder => _runtime.File("qmpd");

    [SetUp]
    public void SetUp() => _runtime = new WorkFolder();

    [TearDown]
    public void TearDown() => _runtime.Dispose();

    [Test]
    public async Task ServesADiskAndSaysHowToGoOn()
    {
        using var daemon = Start();
        var text = await GreetingAsync(daemon);
        Assert.Multiple(() =>
        {
            Assert.That(text, Does.Contain(Path.Combine(Folder, "disk0.img")));
            Assert.That(text, Does.Contain("-object memory-backend-memfd,id=mem,size=1G,share=on"));
            Assert.That(text, Does.Contain($"-chardev socket,id=disk0,path={Path.Combine(Folder, "disk0.sock")},reconnect-ms=1000"));
            Assert.That(text, Does.Contain("-device vhost-user-blk-pci,chardev=disk0"));
            Assert.That(text, Does.Contain($"socat -t1 - UNIX-CONNECT:{Path.Combine(Folder, "qmp.sock")}"));
            Assert.That(File.GetUnixFileMode(Folder), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
            Assert.That(new FileInfo(Path.Combine(Folder, "disk0.img")).Length, Is.EqualTo(1L << 30));
        });
        await using (var client = await ConnectAsync())
        {
            var exports = await client.ExecuteAsync("query-block-exports");
            Assert.That(exports.GetRawText(), Does.Contain("\"id\": \"disk0\""));
            var threads = await client.ExecuteAsync("query-iothreads");
            Assert.That(threads.GetRawText(), Does.Contain("\"id\": \"iothread0\""));
        }

        Signals.Send(daemon.Id, Signals.Terminate);
        await daemon.WaitForExitAsync();
        Assert.That(daemon.ExitCode, Is.Zero);
        Assert.That(Directory.EnumerateFileSystemEntries(Folder).Select(p => Path.GetFileName(p)), Is.EqualTo(new[] { "disk0.img" }));
    }

    [Test]
    public async Task LeavesALiveDaemonAlone()
    {
        using var first = Start();
        await GreetingAsync(first);
        using var second = Start();
        var error = await second.StandardError.ReadToEndAsync();
        await second.WaitForExitAsync();
        Assert.That(second.ExitCode, Is.EqualTo(1));
        Assert.That(error, Does.StartWith($"qmpd: process {first.Id} already serves the folder '{Folder}'"));
        await using var client = await ConnectAsync();
        Assert.That((await client.ExecuteAsync("query-block-exports")).GetArrayLength(), Is.EqualTo(1));
        first.Kill();
        await first.WaitForExitAsync();
    }

    [Test]
    public async Task ReplacesADeadDaemon()
    {
        using var first = Start();
        await GreetingAsync(first);
        File.WriteAllText(Path.Combine(Folder, "note"), "kept");
        first.Kill();
        await first.WaitForExitAsync();
        Assert.That(File.Exists(Path.Combine(Folder, "qmp.sock")), Is.True, "a killed daemon leaves its socket");

        using var second = Start();
        await GreetingAsync(second);
        await using (await ConnectAsync())
        {
        }

        Assert.That(File.Exists(Path.Combine(Folder, "note")), Is.True);
        second.Kill();
        await second.WaitForExitAsync();
    }

    private System.Diagnostics.Process Start()
    {
        var start = new ProcessStartInfo(DaemonProgram.Qmpd.Path)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["XDG_RUNTIME_DIR"] = _runtime.Path;
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        return System.Diagnostics.Process.Start(start)!;
    }

    // Everything up to its last line, which is printed when the daemon is ready.
    private static async Task<string> GreetingAsync(System.Diagnostics.Process daemon)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var text = string.Empty;
        while (await daemon.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            text += line + "\n";
            if (line.StartsWith("End it", StringComparison.Ordinal))
            {
                return text;
            }
        }

        Assert.Fail($"It ended: {text}{await daemon.StandardError.ReadToEndAsync(limit.Token)}");
        return text;
    }

    private async Task<QmpLineClient> ConnectAsync()
    {
        var client = await QmpLineClient.ConnectAsync(Path.Combine(Folder, "qmp.sock"));
        await client.NegotiateAsync();
        return client;
    }
}
