using System.Net.Sockets;
using System.Text;

namespace Qmp.Sessions;

/// <summary>
/// Plays the client side of a session. Replies must come in the order written; events may stand anywhere between two
/// lines that are sent, those of one subject in their order.
/// </summary>
public sealed class SessionPlayer : IDisposable
{
    private readonly SessionFile _session;
    private readonly SessionNames _names;
    private readonly SessionTarget _target;
    private readonly SortedDictionary<int, SessionConnection> _connections = [];
    private readonly List<SessionDifference> _differences = [];

    /// <summary>Prepares; nothing is sent yet.</summary>
    public SessionPlayer(SessionFile session, SessionNames names, SessionTarget target)
    {
        _session = session;
        _names = names;
        _target = target;
    }

    /// <summary>What was found until now.</summary>
    public IReadOnlyList<SessionDifference> Differences => _differences;

    /// <summary>
    /// Plays the whole session, and goes on after a difference where that makes sense, so that one run shows them all.
    /// </summary>
    /// <returns>False where it could not be played to its end.</returns>
    /// <exception cref="IOException">The first connection cannot be opened.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<bool> PlayAsync(CancellationToken cancellation = default)
    {
        List<SessionItem> items = _session.Items;
        for (int i = 0; i < items.Count;)
        {
            if (items[i].Kind != SessionItemKind.Receive)
            {
                if (!await PerformAsync(items[i++], cancellation))
                {
                    return false;
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
                if (!await ExpectAsync(expected.Key, [.. expected], cancellation))
                {
                    return false;
                }
            }

            i = end;
        }

        return await CheckSilenceAsync(cancellation);
    }

    /// <summary>
    /// Plays what is sent, and notes what comes back instead of comparing it.
    /// </summary>
    /// <param name="quiet">How long nothing must come before the next line is sent, where less came than the file has.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The same session with these answers; each has the line of what was sent before it.</returns>
    /// <exception cref="IOException">The first connection cannot be opened.</exception>
    public async Task<SessionFile> NoteAsync(TimeSpan quiet, CancellationToken cancellation = default)
    {
        var noted = new SessionFile { Path = _session.Path };
        noted.Header.AddRange(_session.Header);
        await OpenAsync(1, cancellation);
        List<SessionItem> items = _session.Items;
        int sent = 0;
        await HarvestAsync(noted, 0, ExpectedFrom(0), quiet, cancellation);
        for (int i = 0; i < items.Count; i++)
        {
            SessionItem item = items[i];
            if (item.Kind == SessionItemKind.Receive)
            {
                continue;
            }

            // A connection's greeting comes before what is sent first.
            if (item.Connection > 0 && !_connections.ContainsKey(item.Connection))
            {
                await OpenAsync(item.Connection, cancellation);
                await HarvestAsync(noted, sent, [], quiet, cancellation);
            }

            sent = item.LineNumber;
            if (item.Kind == SessionItemKind.Run && _target.RunAsync is not null)
            {
                SessionCommandResult result = await _target.RunAsync(_names.Expand(item.Text));
                var run = item with { ExitStatus = result.ExitStatus };
                run.Output.Clear();
                run.Output.AddRange(result.Lines.Select(_names.Generalize));
                noted.Items.Add(run);
            }
            else
            {
                noted.Items.Add(item);
                if (!await PerformAsync(item, cancellation))
                {
                    break;
                }
            }

            await HarvestAsync(noted, sent, ExpectedFrom(i + 1), quiet, cancellation);
        }

        return noted;
    }

    /// <summary>Closes the connections that are left.</summary>
    public void Dispose()
    {
        foreach (SessionConnection connection in _connections.Values)
        {
            connection.Dispose();
        }
    }

    // The lines that the file has from here to the next that does something.
    private List<SessionItem> ExpectedFrom(int index) =>
        [.. _session.Items.Skip(index).TakeWhile(item => item.Kind == SessionItemKind.Receive)];

    private async Task<SessionConnection> OpenAsync(int number, CancellationToken cancellation)
    {
        if (!_connections.TryGetValue(number, out SessionConnection? connection))
        {
            connection = await _target.ConnectAsync(cancellation);
            _connections[number] = connection;
        }

        return connection;
    }

    // False where going on makes no sense.
    private async Task<bool> PerformAsync(SessionItem item, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_target.Patience);
        try
        {
            switch (item.Kind)
            {
                case SessionItemKind.Send:
                    await (await OpenAsync(item.Connection, limit.Token)).SendLineAsync(_names.Expand(item.Text), limit.Token);
                    break;
                case SessionItemKind.SendRaw:
                    await (await OpenAsync(item.Connection, limit.Token)).SendAsync(Encoding.Latin1.GetBytes(item.Text), limit.Token);
                    break;
                case SessionItemKind.Descriptor:
                    (await OpenAsync(item.Connection, limit.Token)).Attach(_names.Expand(item.Text));
                    break;
                case SessionItemKind.Close:
                    (await OpenAsync(item.Connection, limit.Token)).Dispose();
                    _connections.Remove(item.Connection);
                    break;
                case SessionItemKind.Run:
                    await RunCommandAsync(item);
                    break;
            }

            return true;
        }
        catch (Exception e) when (e is SocketException or IOException && _connections.Count > 0)
        {
            Differ(item, $"the connection failed: {e.Message}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Differ(item, $"the server does not take it within {_target.Patience.TotalSeconds:0.#} s");
        }

        return false;
    }

    private async Task RunCommandAsync(SessionItem item)
    {
        if (_target.RunAsync is null)
        {
            Differ(item, $"a command that may not run here: {item.Text}");
            return;
        }

        SessionCommandResult result = await _target.RunAsync(_names.Expand(item.Text));
        if (result.ExitStatus != item.ExitStatus)
        {
            Differ(item, $"'{item.Text}' exited with {result.ExitStatus}, expected {item.ExitStatus}:\n{string.Join('\n', result.Lines)}");
        }
        else if (result.Lines.Count != item.Output.Count
            || !result.Lines.Zip(item.Output).All(pair => _names.Matches(pair.Second, pair.First)))
        {
            _differences.Add(new(item.LineNumber, $"'{item.Text}' printed something else")
            {
                Expected = string.Join('\n', item.Output),
                Received = string.Join('\n', result.Lines),
            });
        }
    }

    private async Task<bool> ExpectAsync(int number, List<SessionItem> expected, CancellationToken cancellation)
    {
        SessionConnection connection;
        try
        {
            connection = await OpenAsync(number, cancellation);
        }
        catch (Exception e) when (e is SocketException or IOException && _connections.Count > 0)
        {
            Differ(expected[0], $"the connection failed: {e.Message}");
            return false;
        }

        var replies = new Queue<SessionItem>(expected.Where(item => !item.IsEvent));
        var events = expected.Where(item => item.IsEvent).ToList();
        while (replies.Count + events.Count > 0)
        {
            SessionItem next = replies.Count > 0 ? replies.Peek() : events[0];
            string? line;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(_target.Patience);
            try
            {
                line = await connection.ReadLineAsync(limit.Token);
            }
            catch (Exception e) when (e is InvalidDataException or SocketException)
            {
                Differ(next, e.Message, next.Text);
                return false;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                Differ(next, $"nothing came within {_target.Patience.TotalSeconds:0.#} s", next.Text);
                return false;
            }

            if (line == null)
            {
                Differ(next, "the server closed the connection", next.Text);
                return false;
            }

            if (!SessionText.IsEvent(line) && replies.Count > 0)
            {
                Compare(replies.Dequeue(), line);
            }
            else if (SessionText.IsEvent(line) && TakeEvent(events, line) is SessionItem wanted)
            {
                Compare(wanted, line);
            }
            else
            {
                _differences.Add(new(next.LineNumber, "a line that the recording does not have") { Received = line });
            }
        }

        return true;
    }

    private SessionItem? TakeEvent(List<SessionItem> events, string line)
    {
        string subject = SessionText.Subject(line);
        SessionItem? taken = events.FirstOrDefault(item => SessionText.Subject(_names.Expand(item.Text)) == subject)
            ?? events.FirstOrDefault(item => _names.Matches(item.Text, line));
        if (taken != null)
        {
            events.Remove(taken);
        }

        return taken;
    }

    private void Compare(SessionItem expected, string line)
    {
        if (!_names.Matches(expected.Text, line, out int reached))
        {
            _differences.Add(new(expected.LineNumber, $"the {(expected.IsEvent ? "event" : "reply")} differs from character {reached + 1} on")
            {
                Expected = _names.Expand(expected.Text),
                Received = line,
                Reached = reached,
            });
        }
    }

    private async Task<bool> CheckSilenceAsync(CancellationToken cancellation)
    {
        foreach ((int number, SessionConnection connection) in _connections)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(_target.Patience);
            try
            {
                if (connection.HasPendingInput && await connection.ReadLineAsync(limit.Token) is string line)
                {
                    _differences.Add(new(0, $"connection {number}: a line after the end") { Received = line });
                }
            }
            catch (Exception e) when (e is InvalidDataException or SocketException
                || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                _differences.Add(new(0, $"connection {number}: bytes after the end that are no line"));
            }
        }

        return true;
    }

    // What the file has is waited for with patience; beyond it nobody knows what comes, so what comes until all is quiet.
    private async Task HarvestAsync(
        SessionFile noted, int sentLine, List<SessionItem> expected, TimeSpan quiet, CancellationToken cancellation)
    {
        foreach (int number in expected.Select(item => item.Connection).Distinct().Where(number => !_connections.ContainsKey(number)))
        {
            await OpenAsync(number, cancellation);
        }

        foreach ((int number, SessionConnection connection) in _connections)
        {
            int missing = expected.Count(item => item.Connection == number && !item.IsEvent);
            int missingEvents = expected.Count(item => item.Connection == number && item.IsEvent);
            bool isKnown = missing + missingEvents > 0;
            while (true)
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                limit.CancelAfter(missing > 0 ? _target.Patience : isKnown && missingEvents <= 0 ? quiet / 5 : quiet);
                try
                {
                    string? line = await connection.ReadLineAsync(limit.Token);
                    if (line == null)
                    {
                        break;
                    }

                    if (SessionText.IsEvent(line))
                    {
                        missingEvents--;
                    }
                    else
                    {
                        missing--;
                    }

                    noted.Items.Add(new(sentLine, SessionItemKind.Receive, number, _names.Generalize(line)));
                }
                catch (Exception e) when (e is InvalidDataException or SocketException
                    || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
                {
                    break;
                }
            }
        }
    }

    private void Differ(SessionItem item, string what, string? expected = null) =>
        _differences.Add(new(item.LineNumber, what) { Expected = expected is null ? null : _names.Expand(expected) });
}
