using System.Text;
using System.Text.RegularExpressions;

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

/// <summary>Plays one session against a daemon of its own in a fresh folder and compares.</summary>
public sealed partial class SessionReplayer : IAsyncDisposable
{
    private readonly SessionFile _session;
    private readonly DaemonProgram _program;
    private readonly WorkFolder _folder = new();
    private readonly SessionNames _names;
    private readonly SortedDictionary<int, QmpLineClient> _clients = [];
    private readonly List<string> _differences = [];
    private readonly TimeSpan _patience;
    private Daemon? _daemon;

    private SessionReplayer(SessionFile session, DaemonProgram program, TimeSpan patience)
    {
        _session = session;
        _program = program;
        _patience = patience;
        _names = new SessionNames(_folder.Path);
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
        return await replayer.RecordAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (QmpLineClient client in _clients.Values)
        {
            await client.DisposeAsync();
        }

        if (_daemon != null)
        {
            await _daemon.DisposeAsync();
        }

        _folder.Dispose();
    }

    [GeneratedRegex("""
        "(?:id|device|node-name|qom-path)": "[^"]*"
        """)]
    private static partial Regex SubjectOfEvent();

    private static bool IsEvent(string line) => line.StartsWith("""{"timestamp": """, StringComparison.Ordinal);

    private static string Subject(string line) => SubjectOfEvent().Match(line).Value;

    private async Task StartAsync()
    {
        foreach (string command in _session.Setup)
        {
            await Shell.CheckAsync(_names.Expand(command), _folder.Path);
        }

        string socket = _folder.File("qmp.sock");
        _daemon = Daemon.Start(_program, _folder.Path,
            [.. Daemon.MonitorArguments(socket, _session.Monitor), .. _session.Arguments.Select(_names.Expand),
                .. Daemon.ReadyArguments(_program, _folder.Path)]);
        await _daemon.WaitUntilReadyAsync();
    }

    private async Task PlayAsync()
    {
        try
        {
            await StartAsync();
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException or System.ComponentModel.Win32Exception)
        {
            _differences.Add(e.Message);
            return;
        }

        List<SessionItem> items = _session.Items;
        for (int i = 0; i < items.Count;)
        {
            if (items[i].Kind != SessionItemKind.Receive)
            {
                if (!await PerformAsync(items[i++]))
                {
                    return;
                }

                continue;
            }

            int end = i;
            while (end < items.Count && items[end].Kind == SessionItemKind.Receive)
            {
                end++;
            }

            foreach (IGrouping<int, SessionItem> expected in items[i..end].GroupBy(item => item.Connection))
            {
                if (!await ExpectAsync(await ClientAsync(expected.Key), [.. expected]))
                {
                    return;
                }
            }

            i = end;
        }

        await FinishAsync();
    }

    // False where going on makes no sense.
    private async Task<bool> PerformAsync(SessionItem item)
    {
        try
        {
            switch (item.Kind)
            {
                case SessionItemKind.Send:
                    await (await ClientAsync(item.Connection)).SendLineAsync(_names.Expand(item.Text));
                    break;
                case SessionItemKind.SendRaw:
                    await (await ClientAsync(item.Connection)).SendAsync(Encoding.Latin1.GetBytes(item.Text));
                    break;
                case SessionItemKind.Close:
                    await (await ClientAsync(item.Connection)).DisposeAsync();
                    _clients.Remove(item.Connection);
                    break;
                case SessionItemKind.Run:
                    await RunCommandAsync(item);
                    break;
            }

            return true;
        }
        catch (System.Net.Sockets.SocketException e)
        {
            Differ(item, $"the connection failed: {e.Message}");
            return false;
        }
    }

    private async Task RunCommandAsync(SessionItem item)
    {
        ShellResult result = await Shell.RunAsync(_names.Expand(item.Text), _folder.Path);
        if (result.ExitStatus != item.ExitStatus)
        {
            Differ(item, $"'{item.Text}' exited with {result.ExitStatus}, expected {item.ExitStatus}:\n{result.Output}");
        }
        else if (result.Lines.Count != item.Output.Count
            || !result.Lines.Zip(item.Output).All(pair => _names.Matches(pair.Second, pair.First)))
        {
            Differ(item, $"'{item.Text}' printed\n{result.Output}expected\n{string.Join('\n', item.Output)}");
        }
    }

    // Replies come in their order; events may stand anywhere among them, those of one subject in their order.
    private async Task<bool> ExpectAsync(QmpLineClient client, List<SessionItem> expected)
    {
        var replies = new Queue<SessionItem>(expected.Where(item => !IsEvent(item.Text)));
        var events = expected.Where(item => IsEvent(item.Text)).ToList();
        while (replies.Count + events.Count > 0)
        {
            SessionItem next = replies.Count > 0 ? replies.Peek() : events[0];
            string? line;
            try
            {
                line = await client.TryReadLineAsync(_patience);
            }
            catch (Exception e) when (e is TimeoutException or EndOfStreamException)
            {
                Differ(next, $"nothing came\n  expected {next.Text}\n  ({e.Message})");
                return false;
            }

            if (line == null)
            {
                Differ(next, $"the connection was closed\n  expected {next.Text}");
                return false;
            }

            if (!IsEvent(line) && replies.Count > 0)
            {
                Compare(replies.Dequeue(), line);
            }
            else if (IsEvent(line) && TakeEvent(events, line) is SessionItem wanted)
            {
                Compare(wanted, line);
            }
            else
            {
                Differ(next, $"a line that the recording does not have\n  received {line}");
            }
        }

        return true;
    }

    private SessionItem? TakeEvent(List<SessionItem> events, string line)
    {
        SessionItem? match = events.FirstOrDefault(item => _names.Matches(item.Text, line));
        string subject = Subject(line);
        SessionItem? turn = events.FirstOrDefault(item => Subject(_names.Expand(item.Text)) == subject);
        SessionItem? taken = turn ?? match;
        if (taken != null)
        {
            events.Remove(taken);
        }

        return taken;
    }

    private void Compare(SessionItem expected, string line)
    {
        if (!_names.Matches(expected.Text, line))
        {
            Differ(expected, $"\n  expected {_names.Expand(expected.Text)}\n  received {line}");
        }
    }

    private async Task FinishAsync()
    {
        foreach ((int number, QmpLineClient client) in _clients)
        {
            if (client.HasPendingInput && await client.TryReadLineAsync(_patience) is string line)
            {
                _differences.Add($"{_session}: connection {number}: a line after the end: {line}");
            }
        }

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

    private async Task<string> RecordAsync()
    {
        await StartAsync();
        var text = new StringBuilder();
        foreach (string line in _session.Header)
        {
            text.Append(line).Append('\n');
        }

        await ClientAsync(1);
        await HarvestAsync(text);
        foreach (SessionItem item in _session.Items.Where(item => item.Kind != SessionItemKind.Receive))
        {
            string connection = item.Connection > 1 ? item.Connection.ToString(System.Globalization.CultureInfo.InvariantCulture) : "";
            if (item.Kind == SessionItemKind.Run)
            {
                ShellResult result = await Shell.RunAsync(_names.Expand(item.Text), _folder.Path);
                text.Append("! ").Append(item.Text).Append("\n? ").Append(result.ExitStatus).Append('\n');
                foreach (string line in result.Lines)
                {
                    text.Append("| ").Append(_names.Generalize(line)).Append('\n');
                }
            }
            else
            {
                // A connection's greeting comes before what is sent first.
                if (item.Connection > 0 && !_clients.ContainsKey(item.Connection))
                {
                    await ClientAsync(item.Connection);
                    await HarvestAsync(text);
                }

                text.Append(connection).Append(item.Kind switch
                {
                    SessionItemKind.Send => "-> " + item.Text,
                    SessionItemKind.SendRaw => "=> " + EscapeBytes(item.Text),
                    _ => "-x",
                }).Append('\n');
                await PerformAsync(item);
            }

            await HarvestAsync(text);
        }

        await FinishAsync();
        return text.ToString();
    }

    private static string EscapeBytes(string text)
    {
        string escaped = System.Text.Json.JsonSerializer.Serialize(text);
        return escaped.Replace("\\u0022", "\\\"", StringComparison.Ordinal).Replace("\\u0027", "'", StringComparison.Ordinal);
    }

    // While recording nobody knows how many lines belong to a request: what comes until all is quiet for a while.
    private async Task HarvestAsync(StringBuilder text)
    {
        foreach ((int number, QmpLineClient client) in _clients)
        {
            while (true)
            {
                try
                {
                    string? line = await client.TryReadLineAsync(TimeSpan.FromMilliseconds(150));
                    if (line == null)
                    {
                        break;
                    }

                    text.Append(number > 1 ? number : "").Append("<- ").Append(_names.Generalize(line)).Append('\n');
                }
                catch (TimeoutException)
                {
                    break;
                }
            }
        }
    }

    private async Task<QmpLineClient> ClientAsync(int number)
    {
        if (!_clients.TryGetValue(number, out QmpLineClient? client))
        {
            client = await QmpLineClient.ConnectAsync(_folder.File("qmp.sock"));
            _clients[number] = client;
        }

        return client;
    }

    private void Differ(SessionItem item, string what) => _differences.Add($"{_session}:{item.LineNumber}: {what}");
}
