using System.Net.Sockets;
using System.Text;
using Qmp.Sessions;

namespace Qmp.Testing.Sessions;

/// <summary>Where a daemon said something else than the recording: one entry for each place, in words.</summary>
public sealed record SessionOutcome(IReadOnlyList<string> Differences, string DaemonLog)
{
    public bool Agrees => Differences.Count == 0;

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (string difference in Differences)
        {
            text.Append(difference).Append('\n');
        }

        return DaemonLog.Length == 0 ? text.ToString() : text.Append("The daemon printed:\n").Append(DaemonLog).ToString();
    }
}

/// <summary>Plays one session against a daemon of its own in a fresh folder.</summary>
public sealed class SessionReplayer : IAsyncDisposable
{
    private readonly SessionFile _session;
    private readonly DaemonProgram _program;
    private readonly WorkFolder _folder = new();
    private readonly SessionNames _names;
    private readonly SessionPlayer _player;
    private readonly List<string> _differences = [];
    private Daemon? _daemon;

    private SessionReplayer(SessionFile session, DaemonProgram program, TimeSpan patience)
    {
        _session = session;
        _program = program;
        _names = new SessionNames(_folder.Path);
        _player = new SessionPlayer(session, _names, new SessionTarget
        {
            ConnectAsync = ConnectAsync,
            RunAsync = async command =>
            {
                ShellResult result = await Shell.RunAsync(command, _folder.Path);
                return new SessionCommandResult(result.ExitStatus, result.Lines);
            },
            Patience = patience,
        });
    }

    /// <summary>Plays the whole session. Goes on after a difference, so that one run shows them all.</summary>
    /// <param name="patience">How long to wait for a line that should come.</param>
    public static async Task<SessionOutcome> ReplayAsync(
        DaemonProgram program, SessionFile session, TimeSpan? patience = null)
    {
        await using var replayer = new SessionReplayer(session, program, patience ?? TimeSpan.FromSeconds(30));
        await replayer.PlayAsync();
        return new SessionOutcome(replayer._differences, replayer._daemon?.Log ?? "");
    }

    /// <summary>Plays what the session sends, and returns the file's new text with what came back.</summary>
    public static async Task<string> RecordAsync(DaemonProgram program, SessionFile session)
    {
        await using var replayer = new SessionReplayer(session, program, TimeSpan.FromSeconds(5));
        await replayer.StartAsync();
        SessionFile noted = await replayer._player.NoteAsync(TimeSpan.FromMilliseconds(150));
        await replayer.FinishAsync();
        var text = new StringWriter();
        var writer = new SessionWriter(text);
        noted.Header.ForEach(writer.Line);
        noted.Items.ForEach(writer.Item);
        return text.ToString();
    }

    /// <summary>
    /// Starts a daemon in a folder as the session's header says, after its setup.
    /// </summary>
    public static async Task<Daemon> StartAsync(DaemonProgram program, SessionFile session, string folder)
    {
        var names = new SessionNames(folder);
        foreach (string command in session.Setup)
        {
            await Shell.CheckAsync(names.Expand(command), folder);
        }

        var daemon = Daemon.Start(program, folder,
            [.. Daemon.MonitorArguments(Path.Combine(folder, "qmp.sock"), session.Monitor), .. session.Arguments.Select(names.Expand),
                .. Daemon.ReadyArguments(program, folder)]);
        await daemon.WaitUntilReadyAsync();
        return daemon;
    }

    public async ValueTask DisposeAsync()
    {
        _player.Dispose();
        if (_daemon != null)
        {
            await _daemon.DisposeAsync();
        }

        _folder.Dispose();
    }

    private async Task StartAsync() => _daemon = await StartAsync(_program, _session, _folder.Path);

    private async Task<SessionConnection> ConnectAsync(CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_folder.File("qmp.sock")), cancellation);
        return new SessionConnection(socket);
    }

    private async Task PlayAsync()
    {
        bool isComplete;
        try
        {
            await StartAsync();
            isComplete = await _player.PlayAsync();
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException or SocketException or System.ComponentModel.Win32Exception)
        {
            _differences.Add(e.Message);
            return;
        }

        _differences.AddRange(_player.Differences.Select(difference => difference.Format(_session.ToString())));
        if (isComplete)
        {
            await FinishAsync();
        }
    }

    private async Task FinishAsync()
    {
        if (!_daemon!.HasExited)
        {
            Signals.Send(_daemon.Pid, Signals.Terminate);
        }

        try
        {
            int status = await _daemon.WaitForExitAsync();
            if (status != 0)
            {
                _differences.Add($"{_session}: the daemon exited with {status}");
            }
        }
        catch (TimeoutException e)
        {
            _differences.Add($"{_session}: {e.Message}");
        }

        foreach (string command in _session.After)
        {
            ShellResult result = await Shell.RunAsync(_names.Expand(command), _folder.Path);
            if (result.ExitStatus != 0)
            {
                _differences.Add($"{_session}: afterwards '{command}' exited with {result.ExitStatus}:\n{result.Output}");
            }
        }
    }
}
