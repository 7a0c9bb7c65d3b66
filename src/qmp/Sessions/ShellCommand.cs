using System.Diagnostics;
using Qmp.Sessions;

namespace Qmp.Tool.Sessions;

/// <summary>Runs a command of a recording.</summary>
internal static class ShellCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static async Task<SessionCommandResult> RunAsync(string command, string folder)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec 2>&1 </dev/null; " + command])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
        };
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new(process.ExitCode, output.Length == 0 ? [] : output.TrimEnd('\n').Split('\n'));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new(-1, [$"took longer than {Limit.TotalSeconds} s"]);
        }
    }
}
