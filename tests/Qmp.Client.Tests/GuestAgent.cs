using System.Diagnostics;
using Qmp.Testing;

namespace Qmp.Client.Tests;

/// <summary>The QEMU guest agent as a process, on a Unix socket.</summary>
internal sealed class GuestAgent : IDisposable
{
    private readonly WorkFolder _folder = new();
    private readonly Process _process;

    private GuestAgent()
    {
        var program = Shell.Find("qemu-ga") ?? throw new InvalidOperationException("qemu-ga is not installed");
        _process = Process.Start(new ProcessStartInfo(
            program, ["-m", "unix-listen", "-p", Socket, "-f", _folder.File("pid"), "-t", _folder.Path, "-l", _folder.File("log")]))!;
    }

    public string Socket => _folder.File("ga.sock");

    public static async Task<GuestAgent> StartAsync()
    {
        var agent = new GuestAgent();
        var clock = Stopwatch.StartNew();
        while (!File.Exists(agent.Socket))
        {
            if (agent._process.HasExited || clock.Elapsed > TimeSpan.FromSeconds(30))
            {
                agent.Dispose();
                throw new InvalidOperationException("qemu-ga did not start");
            }

            await Task.Delay(2);
        }

        return agent;
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _folder.Dispose();
    }
}
