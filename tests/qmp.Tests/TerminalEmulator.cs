using System.Diagnostics;
using Qmp.Testing;

namespace Qmp.Tool.Tests;

/// <summary>The built <c>qmp</c> in a terminal of tmux, 100 columns by 30 rows, with keys to press and a screen to read.</summary>
internal sealed class TerminalEmulator : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static int s_count;

    private readonly WorkFolder _folder;

    // A server of tmux for each: one that is ending takes no new terminals.
    private readonly string _socket;

    private TerminalEmulator(WorkFolder folder) =>
        (_folder, _socket) = (folder, folder.File($"tmux{Interlocked.Increment(ref s_count)}.sock"));

    /// <summary>Runs <c>qmp</c>.</summary>
    /// <param name="folder">Where it runs; also the folder for state.</param>
    /// <param name="words">Arguments without spaces.</param>
    /// <param name="environment">Further variables, <c>NAME=VALUE</c>.</param>
    public static Task<TerminalEmulator> StartAsync(WorkFolder folder, string words, string environment = "") =>
        RunAsync(folder, $"{Tool.Path} {words}", environment);

    /// <summary>Runs any program; <c>qmp</c> is in its PATH.</summary>
    public static async Task<TerminalEmulator> RunAsync(WorkFolder folder, string command, string environment = "")
    {
        var terminal = new TerminalEmulator(folder);
        await terminal.TmuxAsync("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", "-c", folder.Path,
            $"env XDG_STATE_HOME={folder.Path}/state HOME={folder.Path} PATH={Path.GetDirectoryName(Tool.Path)}:$PATH TERM=screen-256color LC_ALL=C.UTF-8 {environment} {command}; echo exit status $?; exec cat");
        return terminal;
    }

    /// <summary>Presses keys, named as tmux does: <c>Tab</c>, <c>Enter</c>, <c>C-c</c>, or any text.</summary>
    public Task PressAsync(params string[] keys) => TmuxAsync(["send-keys", .. keys]);

    /// <summary>The screen without trailing space.</summary>
    /// <param name="colours">Whether colours are kept as escape sequences.</param>
    public async Task<string> ScreenAsync(bool colours = false)
    {
        var text = await TmuxAsync(["capture-pane", "-p", .. colours ? ["-e"] : Array.Empty<string>()]);
        return string.Join('\n', text.Split('\n').Select(line => line.TrimEnd())).TrimEnd('\n');
    }

    /// <summary>Waits until the screen has a text.</summary>
    public Task<string> WaitForAsync(string text) => WaitForAsync(screen => screen.Contains(text, StringComparison.Ordinal), text);

    /// <summary>Waits until the last line of the screen is this.</summary>
    public Task<string> WaitForLastLineAsync(string line) => WaitForAsync(screen => screen.Split('\n')[^1] == line, $"last line '{line}'");

    public async Task<string> WaitForAsync(Func<string, bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var screen = await ScreenAsync();
            if (condition(screen))
            {
                return screen;
            }

            Assert.That(clock.Elapsed, Is.LessThan(Patience), $"waited for {what}; the screen is\n{screen}");
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync() => await TmuxAsync("kill-server");

    private async Task<string> TmuxAsync(params string[] words)
    {
        var result = await Testing.Shell.RunProgramAsync("tmux", ["-S", _socket, "-u", .. words], _folder.Path);
        Assert.That(result.ExitStatus, Is.Zero, result.Output);
        return result.Output;
    }
}
