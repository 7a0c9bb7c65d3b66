using System.Globalization;
using Qmp.Testing;

namespace Qmp.Daemon.Tests.Process;

/// <summary>Which thread goes first when the disks keep every processor busy.</summary>
public class PriorityTests
{
    private const int Raised = -10;

    [TestCase(false)]
    [TestCase(true)]
    public async Task TheMainLoopGoesFirstWhereDisksHaveThreadsOfTheirOwn(bool hasIoThread)
    {
        using var folder = new WorkFolder();
        string[] arguments = hasIoThread ? ["--object", "iothread,id=io0"] : [];
        await using var daemon = await Qmp.Testing.Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path, arguments);
        await using var client = await daemon.ConnectAsync(); // answered when everything is ready
        var threads = Directory.EnumerateDirectories($"/proc/{daemon.Pid}/task").Select(t => int.Parse(Path.GetFileName(t), CultureInfo.InvariantCulture)).ToArray();
        var raised = threads.Where(t => Nice(daemon.Pid, t) == Raised);
        Assert.That(raised, hasIoThread && MayRaise ? Is.EqualTo([daemon.Pid]) : Is.Empty);
        Assert.That(threads.Where(t => Nice(daemon.Pid, t) is not (Raised or 0)), Is.Empty);
    }

    // CAP_SYS_NICE, or a limit on the nice value that reaches far enough (20 - nice).
    private static bool MayRaise
    {
        get
        {
            var capabilities = File.ReadLines("/proc/self/status").Single(l => l.StartsWith("CapEff:", StringComparison.Ordinal));
            var limit = File.ReadLines("/proc/self/limits").Single(l => l.StartsWith("Max nice priority", StringComparison.Ordinal));
            return (ulong.Parse(capabilities.Split('\t')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1 << 23)) != 0
                || !int.TryParse(limit["Max nice priority".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture, out var most)
                || most >= 20 - Raised;
        }
    }

    // Field 19 of the line; the second, a name in parentheses, may have blanks.
    private static int Nice(int pid, int thread)
    {
        var line = File.ReadAllText($"/proc/{pid}/task/{thread}/stat");
        return int.Parse(line[(line.LastIndexOf(')') + 2)..].Split(' ')[16], CultureInfo.InvariantCulture);
    }
}
