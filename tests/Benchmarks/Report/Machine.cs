using System.Globalization;
using System.Runtime.InteropServices;
using Qmp.Testing;

namespace Benchmarks.Report;

/// <summary>Where and when it was measured.</summary>
internal sealed record Machine(IReadOnlyList<(string Name, string Value)> Properties)
{
    public static async Task<Machine> DescribeAsync() => new(
    [
        ("date", DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        ("processor", $"{Environment.ProcessorCount} x {ProcessorModel()}"),
        ("kernel", $"Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}"),
        ("file system", FileSystemOf(Path.GetTempPath())),
        ("runtime", RuntimeInformation.FrameworkDescription),
        ("peer", await VersionAsync(DaemonProgram.Peer?.Path)),
        ("fio", await VersionAsync(Shell.Find("fio"))),
        ("load before", File.ReadAllText("/proc/loadavg").Split(' ')[0]),
    ]);

    private static string ProcessorModel() => File.ReadLines("/proc/cpuinfo")
        .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ", 2)[^1] ?? "unknown";

    // What a buffered write costs depends on it more than on either daemon.
    private static string FileSystemOf(string folder) => File.ReadLines("/proc/mounts").Select(line => line.Split(' '))
        .Where(mount => (folder + "/").StartsWith(mount[1].TrimEnd('/') + "/", StringComparison.Ordinal))
        .MaxBy(mount => mount[1].Length)?[2] ?? "unknown";

    private static async Task<string> VersionAsync(string? program) => program == null
        ? "not installed"
        : (await Shell.RunProgramAsync(program, ["--version"], Path.GetTempPath())).Lines[0];
}
