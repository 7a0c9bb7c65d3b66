using System.Diagnostics;

namespace Qmp.Testing;

/// <summary>What a program printed (both streams, in the order of arrival) and how it ended.</summary>
public sealed record ShellResult(int ExitStatus, string Output)
{
    public IReadOnlyList<string> Lines =>
        Output.Length == 0 ? [] : Output.TrimEnd('\n').Split('\n');
}

/// <summary>Runs tools.</summary>
public static class Shell
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(120);

    /// <summary>Runs one line of sh in a folder; standard error goes where standard output goes.</summary>
    public static Task<ShellResult> RunAsync(string command, string folder, TimeSpan? timeout = null) =>
        RunProgramAsync("/bin/sh", ["-c", "exec 2>&1; " + command], folder, timeout);

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="TimeoutException">It took too long and was killed.</exception>
    public static async Task<ShellResult> RunProgramAsync(
        string program, IEnumerable<string> arguments, string folder, TimeSpan? timeout = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C";
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(timeout ?? DefaultTimeout);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
            Task<string> error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new ShellResult(process.ExitCode, await output + await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', start.ArgumentList)} took too long.");
        }
    }

    /// <summary>As <see cref="RunAsync"/>, and throws unless it exits with 0.</summary>
    public static async Task<string> CheckAsync(string command, string folder, TimeSpan? timeout = null)
    {
        ShellResult result = await RunAsync(command, folder, timeout);
        return result.ExitStatus == 0
            ? result.Output
            : throw new InvalidOperationException($"'{command}' exited with {result.ExitStatus}:\n{result.Output}");
    }

    /// <summary>The full path of a program in PATH or the usual folders, or null.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Concat(["/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin", "/sbin"])
        .Where(folder => folder.Length > 0)
        .Select(folder => Path.Combine(folder, program))
        .FirstOrDefault(File.Exists);
}
