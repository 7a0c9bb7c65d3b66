using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Qmp.Testing;

namespace Qmp.Tool.Tests.Calls;

/// <summary>Addresses of TCP, to listen on and to connect to.</summary>
[TestFixture]
public sealed class TcpTests
{
    [TestCase("127.0.0.1:{0}", "tcp:localhost:{0}")]
    [TestCase("tcp:127.0.0.1:{0}", "127.0.0.1:{0}")]
    [TestCase("[::1]:{0}", "tcp:[::1]:{0}")]
    public async Task CommandsAndRecordingsGoOverTcp(string listen, string connect)
    {
        using var folder = new WorkFolder();
        var port = FreePort(listen.Contains("::", StringComparison.Ordinal) ? IPAddress.IPv6Loopback : IPAddress.Loopback);
        string place = string.Format(CultureInfo.InvariantCulture, listen, port), address = string.Format(CultureInfo.InvariantCulture, connect, port);
        await using (var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path))
        {
            var recording = Tool.Start(folder, "record", "qmp.sock", place, "s.qmp", "--once");
            await WaitForPortAsync(recording, port);
            var reply = await Tool.RunAsync(folder, "exec", address, "query-block-exports");
            Assert.That((reply.ExitCode, reply.Output, reply.Error), Is.EqualTo((0, "[]\n", "")));
            var recorded = await Tool.EndAsync(recording);
            Assert.That(recorded.ExitCode, Is.Zero, recorded.Error);
        }

        var serving = Tool.Start(folder, "serve", "s.qmp", place, "--timeout", "60");
        await WaitForPortAsync(serving, port);
        var served = await Tool.RunAsync(folder, "replay", "s.qmp", address);
        Assert.That(served.ExitCode, Is.Zero, served.Output + served.Error);
        Assert.That((await Tool.EndAsync(serving)).ExitCode, Is.Zero);
        var refused = await Tool.RunAsync(folder, "exec", address, "query-version");
        Assert.That(refused.ExitCode, Is.EqualTo(3), refused.Error);
    }

    [TestCase("host:", "'host:' is no address: expected HOST:PORT")]
    [TestCase("tcp:host", "'tcp:host' is no address: expected HOST:PORT")]
    [TestCase("host:70000", "'host:70000' is no address: expected HOST:PORT")]
    public async Task AWrongAddressIsAUsageError(string address, string error)
    {
        using var folder = new WorkFolder();
        var result = await Tool.RunAsync(folder, "exec", address, "query-version");
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Does.StartWith($"qmp: {error}\n"));
    }

    private static int FreePort(IPAddress address)
    {
        using var probe = new TcpListener(address, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static async Task WaitForPortAsync(Process program, int port)
    {
        var clock = Stopwatch.StartNew();
        var end = $":{port:X4} ";
        while (!File.ReadLines("/proc/net/tcp").Concat(File.ReadLines("/proc/net/tcp6")).Any(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var local, _, "0A", ..] && (local + " ").EndsWith(end, StringComparison.Ordinal)))
        {
            Assert.That(program.HasExited, Is.False, "the program listens");
            Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(60)));
            await Task.Delay(5);
        }
    }
}
