using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Qmp.Sessions;

/// <summary>
/// Plays the server side of a session, so that a client can be tested without any server. What the client sends is
/// compared as JSON: white space, the order of members and the <c>id</c> are its own affair, and replies carry its id.
/// </summary>
/// <param name="session">The session.</param>
/// <param name="names">The values of this run.</param>
/// <param name="patience">How long to wait for what the client should say.</param>
public sealed class SessionServer(SessionFile session, SessionNames names, TimeSpan patience) : IDisposable
{
    private const string Nothing = "nothing";

    private readonly SortedDictionary<int, Client> _clients = [];
    private readonly List<SessionDifference> _differences = [];

    /// <summary>What was found.</summary>
    public IReadOnlyList<SessionDifference> Differences => _differences;

    /// <summary>Plays the session once. Ends at the first difference, which the client gets as an error.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task PlayAsync(Socket listener, CancellationToken cancellation = default)
    {
        foreach (SessionItem item in session.Items)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(patience);
            try
            {
                if (item.Connection > 0 && !await PerformAsync(item, listener, limit.Token))
                {
                    return;
                }
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                Differ(item, $"the client did nothing within {patience.TotalSeconds:0.#} s");
                return;
            }
            catch (Exception e) when (e is SocketException or InvalidDataException)
            {
                Differ(item, e.Message);
                return;
            }
        }

        foreach ((int number, Client client) in _clients)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(patience);
            client.Connection.EndSending();
            try
            {
                if (await client.ReadMessageAsync(limit.Token) is { } more)
                {
                    _differences.Add(new(0, $"connection {number}: the client goes on after the end") { Received = more });
                }
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                // A client that keeps its connection open has said nothing wrong.
            }
        }
    }

    /// <summary>Closes what is open.</summary>
    public void Dispose()
    {
        foreach (Client client in _clients.Values)
        {
            client.Connection.Dispose();
        }
    }

    private async Task<bool> PerformAsync(SessionItem item, Socket listener, CancellationToken cancellation)
    {
        if (!_clients.TryGetValue(item.Connection, out Client? client))
        {
            client = new(new SessionConnection(await listener.AcceptAsync(cancellation)));
            _clients.Add(item.Connection, client);
        }

        switch (item.Kind)
        {
            case SessionItemKind.Receive:
                await client.Connection.SendLineAsync(Answer(client, item.Text), cancellation);
                return true;
            case SessionItemKind.Send when IsMessage(names.Expand(item.Text), out JsonNode? expected):
                return await ExpectMessageAsync(client, item, expected, cancellation);
            case SessionItemKind.Send or SessionItemKind.SendRaw:
                byte[] bytes = item.Kind == SessionItemKind.Send ? Encoding.UTF8.GetBytes(item.Text) : Encoding.Latin1.GetBytes(item.Text);
                string raw = await client.ReadBytesAsync(bytes.Length, cancellation);
                return raw == Encoding.Latin1.GetString(bytes) || await RefuseAsync(client, item, raw);
            case SessionItemKind.Close:
                string? more = await client.ReadMessageAsync(cancellation);
                return more is null || await RefuseAsync(client, item, more);
            default:
                return true;
        }
    }

    private async Task<bool> ExpectMessageAsync(Client client, SessionItem item, JsonNode expected, CancellationToken cancellation)
    {
        string? text = await client.ReadMessageAsync(cancellation);
        if (text is null)
        {
            Differ(item, "the client closed the connection", Nothing);
            return false;
        }

        if (!IsMessage(text, out JsonNode? received))
        {
            return await RefuseAsync(client, item, text);
        }

        client.Asked.Add((ReplyId.Find(item.Text), ReplyId.Find(text)));
        (expected as JsonObject)?.Remove("id");
        (received as JsonObject)?.Remove("id");
        return JsonNode.DeepEquals(expected, received) || await RefuseAsync(client, item, text);
    }

    private static bool IsMessage(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out JsonNode? node)
    {
        try
        {
            node = JsonNode.Parse(text, documentOptions: new() { MaxDepth = SessionLimits.Depth });
            _ = node is JsonObject members && members.ContainsKey("id"); // duplicate members show up here
            return node is not null;
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or ArgumentException)
        {
            node = null;
            return false;
        }
    }

    private string Answer(Client client, string recorded)
    {
        string line = names.Invent(recorded);
        if (SessionText.IsEvent(line) || !(line.StartsWith("{\"return\"", StringComparison.Ordinal) || line.Contains("\"error\"", StringComparison.Ordinal)
            || line.StartsWith("{\"id\"", StringComparison.Ordinal)))
        {
            return line;
        }

        string? id = ReplyId.Find(line);
        int index = client.Asked.FindIndex(asked => asked.Recorded == id);
        if (index < 0)
        {
            return line;
        }

        string? actual = client.Asked[index].Actual;
        client.Asked.RemoveAt(index);
        return actual == id ? line : ReplyId.Change(line, actual);
    }

    private async Task<bool> RefuseAsync(Client client, SessionItem item, string received)
    {
        Differ(item, "the client says something else", received);
        string? id = ReplyId.Find(received);
        var error = new JsonObject
        {
            ["error"] = new JsonObject
            {
                ["class"] = "GenericError",
                ["desc"] = $"{Path.GetFileName(session.Path)}:{item.LineNumber}: the recording has something else here",
            },
        }.ToJsonString();
        using var limit = new CancellationTokenSource(patience);
        try
        {
            await client.Connection.SendLineAsync(id is null ? error : ReplyId.Change(error, id), limit.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // It does not listen.
        }

        return false;
    }

    private void Differ(SessionItem item, string problem, string? received = null) => _differences.Add(new(item.LineNumber, problem)
    {
        Expected = item.Kind == SessionItemKind.Close ? "the end of the connection" : names.Expand(item.Text),
        Received = received,
    });

    private sealed class Client(SessionConnection connection)
    {
        private readonly ClientStream _said = new();
        private readonly byte[] _buffer = new byte[16384];

        public SessionConnection Connection => connection;

        /// <summary>The ids of what was asked and not answered: in the file and of the client.</summary>
        public List<(string? Recorded, string? Actual)> Asked { get; } = [];

        /// <summary>The next message, or what is there beside white space at the end; null for nothing.</summary>
        public async Task<string?> ReadMessageAsync(CancellationToken cancellation)
        {
            while (true)
            {
                if (_said.TryTake(out _, out string text))
                {
                    return text;
                }

                if (!await FillAsync(cancellation))
                {
                    return _said.TryTakeRest(out _, out text) ? text : null;
                }
            }
        }

        public async Task<string> ReadBytesAsync(int count, CancellationToken cancellation)
        {
            while (true)
            {
                if (_said.TryTakeBytes(count, out string bytes))
                {
                    return bytes;
                }

                if (!await FillAsync(cancellation))
                {
                    return _said.TryTakeRest(out _, out bytes) ? bytes : "";
                }
            }
        }

        private async Task<bool> FillAsync(CancellationToken cancellation)
        {
            int count = await connection.ReceiveAsync(_buffer, cancellation);
            _said.Add(_buffer.AsSpan(0, count));
            return count > 0;
        }
    }
}
