using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Qmp.Testing;

/// <summary>
/// A running storage daemon. What it prints is kept; disposing kills it if it still runs. Processes that a test
/// forgets are killed when the test run ends.
/// </summary>
public sealed class Daemon : IAsyncDisposable
{
    private static readonly ConcurrentDictionary<int, Process> Running = new();

    private readonly Process _process;
    private readonly StringBuilder _log = new();
    private readonly Task _reading;

    static Daemon() =>
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            foreach (Process process in Running.Values)
            {
                KillQuietly(process);
            }
        };

    private Daemon(DaemonProgram program, string folder, IEnumerable<string> arguments)
    {
        Program = program;
        Folder = folder;
        var start = new ProcessStartInfo(program.Path, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C";

        // Test runners set variables that change how a child .NET process behaves.
        foreach (string name in start.Environment.Keys
            .Where(name => name.StartsWith("MSBUILD", StringComparison.Ordinal)
                || name.StartsWith("VSTEST", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment["DOTNET_ROOT"] = DotnetRoot();
        CommandLine = $"{program.Path} {string.Join(' ', start.ArgumentList)}";
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{CommandLine} did not start.");
        Running[_process.Id] = _process;
        _process.StandardInput.Close();
        _reading = Task.WhenAll(KeepAsync(_process.StandardOutput), KeepAsync(_process.StandardError));
    }

    public DaemonProgram Program { get; }

    public string Folder { get; }

    public string CommandLine { get; }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What it has printed until now, on either stream.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <summary>Starts a daemon with exactly these arguments, in a folder.</summary>
    public static Daemon Start(DaemonProgram program, string folder, params IEnumerable<string> arguments) =>
        new(program, folder, arguments);

    /// <summary>
    /// Starts a daemon with a QMP monitor on <c>qmp.sock</c> in the folder and further arguments, and waits until the
    /// socket takes connections.
    /// </summary>
    public static async Task<Daemon> StartWithMonitorAsync(
        DaemonProgram program, string folder, params IEnumerable<string> arguments)
    {
        var daemon = new Daemon(program, folder,
            [.. MonitorArguments(Path.Combine(folder, "qmp.sock")), .. arguments, .. ReadyArguments(program, folder)]);
        try
        {
            await daemon.WaitUntilReadyAsync();
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Arguments, to stand last, that make <see cref="WaitUntilReadyAsync"/> work. qemu-storage-daemon listens a moment
    /// before its monitor is there, and a client of that moment gets two greetings or none; its pid file comes later.
    /// </summary>
    public static IEnumerable<string> ReadyArguments(DaemonProgram program, string folder) =>
        program == DaemonProgram.Peer ? ["--pidfile", Path.Combine(folder, "daemon.pid")] : [];

    /// <param name="socket">Absolute path, so that <see cref="WaitForSocketAsync"/> can tell it from others.</param>
    public static IEnumerable<string> MonitorArguments(string socket, string monitor = "chardev=qmp0") =>
        ["--chardev", $"socket,id=qmp0,path={socket},server=on,wait=off", "--monitor", monitor];

    /// <summary>A negotiated client of the monitor that <see cref="StartWithMonitorAsync"/> made.</summary>
    public async Task<QmpLineClient> ConnectAsync(string socket = "qmp.sock")
    {
        QmpLineClient client = await QmpLineClient.ConnectAsync(Path.Combine(Folder, socket));
        await client.NegotiateAsync();
        return client;
    }

    /// <summary>Waits until <c>qmp.sock</c> in the folder serves clients.</summary>
    public async Task WaitUntilReadyAsync()
    {
        await WaitForSocketAsync("qmp.sock");
        string pidFile = Path.Combine(Folder, "daemon.pid");
        while (Program == DaemonProgram.Peer && !(File.Exists(pidFile) && new FileInfo(pidFile).Length > 0))
        {
            if (_process.HasExited)
            {
                await _reading;
                throw new InvalidOperationException($"{CommandLine} exited with {_process.ExitCode}:\n{Log}");
            }

            await Task.Delay(2);
        }
    }

    /// <summary>Waits until a Unix socket in the folder exists and listens. The daemon must know it by its absolute path.</summary>
    /// <exception cref="InvalidOperationException">The daemon ended before.</exception>
    public async Task WaitForSocketAsync(string name, TimeSpan? timeout = null)
    {
        string path = Path.Combine(Folder, name);
        var clock = Stopwatch.StartNew();
        while (!UnixSockets.IsListening(path, Pid))
        {
            if (_process.HasExited)
            {
                await _reading;
                throw new InvalidOperationException(
                    $"{CommandLine} exited with {_process.ExitCode} before it listened on {name}:\n{Log}");
            }

            if (clock.Elapsed > (timeout ?? TimeSpan.FromSeconds(60)))
            {
                throw new TimeoutException($"{CommandLine} does not listen on {name}:\n{Log}");
            }

            await Task.Delay(2);
        }
    }

    /// <summary>Waits until a text appears in what it prints.</summary>
    public async Task WaitForLogAsync(string text, TimeSpan? timeout = null)
    {
        var clock = Stopwatch.StartNew();
        while (!Log.Contains(text, StringComparison.Ordinal))
        {
            if (clock.Elapsed > (timeout ?? TimeSpan.FromSeconds(60)) || _process.HasExited)
            {
                await Task.WhenAny(_reading, Task.Delay(1000));
                if (Log.Contains(text, StringComparison.Ordinal))
                {
                    return;
                }

                throw new TimeoutException($"{CommandLine} did not print '{text}':\n{Log}");
            }

            await Task.Delay(5);
        }
    }

    /// <summary>Sends SIGTERM and waits for the end.</summary>
    /// <returns>The exit status; a death by signal N is 128+N.</returns>
    public Task<int> TerminateAsync(TimeSpan? timeout = null)
    {
        Signals.Send(Pid, Signals.Terminate);
        return WaitForExitAsync(timeout);
    }

    /// <summary>Sends SIGKILL and waits until the process is gone.</summary>
    public Task<int> KillAsync()
    {
        Signals.Send(Pid, Signals.Kill);
        return WaitForExitAsync();
    }

    /// <exception cref="TimeoutException">It is still there; it has been killed.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan? timeout = null)
    {
        using var limit = new CancellationTokenSource(timeout ?? TimeSpan.FromSeconds(60));
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            KillQuietly(_process);
            throw new TimeoutException($"{CommandLine} did not end:\n{Log}");
        }

        await _reading;
        return _process.ExitCode;
    }

    /// <summary>Resident memory in bytes.</summary>
    public long ResidentBytes()
    {
        string line = File.ReadLines($"/proc/{Pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        string number = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return long.Parse(number, CultureInfo.InvariantCulture) * 1024;
    }

    public async ValueTask DisposeAsync()
    {
        KillQuietly(_process);
        await _process.WaitForExitAsync();
        Running.TryRemove(_process.Id, out _);
        _process.Dispose();
    }

    private static void KillQuietly(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // Already gone.
        }
    }

    private static string DotnetRoot()
    {
        string? host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? Environment.ProcessPath;
        return host != null && Path.GetFileName(host) == "dotnet"
            ? Path.GetDirectoryName(new FileInfo(host).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? host)!
            : Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
    }

    private async Task KeepAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is string line)
        {
            lock (_log)
            {
                _log.Append(line).Append('\n');
            }
        }
    }
}
