using System.Diagnostics;
using Qmp.Testing;

namespace Qmp.Tool.Tests;

/// <summary>What the built program printed and how it ended.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Error);

/// <summary>Runs the built <c>qmp</c>.</summary>
internal static class Tool
{
    public static string Path { get; } = Repository.PathOf("src", "qmp", "bin", Repository.Configuration, "net10.0", "qmp");

    public static async Task<ToolResult> RunAsync(WorkFolder folder, params string[] words) => await EndAsync(Start(folder, words));

    public static Process Start(WorkFolder folder, params string[] words)
    {
        var start = new ProcessStartInfo(Path, words)
        {
            WorkingDirectory = folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["LC_ALL"] = "C";
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    public static async Task<ToolResult> EndAsync(Process process)
    {
        using (process)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120));
            try
            {
                var output = process.StandardOutput.ReadToEndAsync(limit.Token);
                var error = process.StandardError.ReadToEndAsync(limit.Token);
                await process.WaitForExitAsync(limit.Token);
                return new(process.ExitCode, await output, await error);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                throw new TimeoutException("qmp did not end");
            }
        }
    }

    /// <summary>Waits until the program listens on a socket of the folder.</summary>
    public static async Task WaitForSocketAsync(Process program, WorkFolder folder, string name)
    {
        var clock = Stopwatch.StartNew();
        while (!UnixSockets.IsListening(folder.File(name), program.Id))
        {
            Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(60)), $"nobody listens on {name}");
            await Task.Delay(5);
        }
    }
}
