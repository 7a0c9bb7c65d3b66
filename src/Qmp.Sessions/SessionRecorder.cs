using System.Net.Sockets;
using System.Text;
using Qmp.Aio;

namespace Qmp.Sessions;

/// <summary>
/// A proxy between clients and a server that writes down what they say. Descriptors go through with the bytes that they
/// came with. Each connection has one thread for each direction.
/// </summary>
/// <param name="server">Where the server listens.</param>
/// <param name="writer">Where the session goes.</param>
/// <param name="names">What stands in the place of what differs between runs.</param>
public sealed class SessionRecorder(SessionEndpoint server, SessionWriter writer, SessionNames names)
{
    private const int BufferBytes = 65536;

    // Guards the order of what is written, the names and the state below.
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _open = [];
    private readonly List<Task> _directions = [];
    private int _connections;

    /// <summary>The first thing that kept something from the record; nothing is kept from the two sides.</summary>
    public string? Problem { get; private set; }

    /// <summary>How many lines have been written.</summary>
    public int Items { get; private set; }

    /// <summary>Takes connections until cancelled, then closes them.</summary>
    /// <param name="listener">A listening socket.</param>
    /// <param name="single">Whether to end after the first connection.</param>
    /// <param name="cancellation">Ends the recording.</param>
    public async Task RunAsync(Socket listener, bool single, CancellationToken cancellation)
    {
        try
        {
            do
            {
                Socket client = await listener.AcceptAsync(cancellation);
                Socket peer;
                try
                {
                    peer = await server.ConnectAsync(cancellation);
                }
                catch (IOException e)
                {
                    client.Dispose();
                    Fail(e.Message);
                    continue;
                }

                Start(client, peer);
            }
            while (!single);
            await Task.WhenAll(_directions).WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            // The end that was asked for.
        }
        finally
        {
            lock (_lock)
            {
                foreach (Socket socket in _open)
                {
                    _ = Libc.Shutdown((int)socket.Handle, Libc.SHUT_RDWR);
                }
            }

            await Task.WhenAll(_directions);
        }
    }

    private void Start(Socket client, Socket peer)
    {
        var number = ++_connections;
        var said = new ClientStream();
        lock (_lock)
        {
            _open.Add(client);
            _open.Add(peer);
        }

        var answers = new LineBuffer();
        var connection = new Connection(number, client, peer);
        Begin(client, peer, (bytes, descriptors) => FromClient(number, said, bytes, descriptors), () =>
        {
            WriteRest(number, said);
            connection.ClientEndedFirst = connection.Directions == 2;
            End(connection);
        });
        Begin(peer, client, (bytes, _) => FromServer(number, said, answers, bytes), () => End(connection));
    }

    private void Begin(Socket from, Socket to, Forward note, Action end)
    {
        _directions.RemoveAll(old => old.IsCompletedSuccessfully);
        _directions.Add(Task.Factory.StartNew(
            () =>
            {
                try
                {
                    Pump(from, to, note);
                }
                finally
                {
                    lock (_lock)
                    {
                        _ = Libc.Shutdown((int)to.Handle, Libc.SHUT_WR);
                        end();
                    }
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default));
    }

    private sealed class Connection(int number, Socket client, Socket peer)
    {
        public int Number => number;

        public Socket Client => client;

        public Socket Peer => peer;

        public int Directions { get; set; } = 2;

        public bool ClientEndedFirst { get; set; }
    }

    private delegate void Forward(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors);

    // What came is written down before it is passed on: no answer can stand before its question.
    private void Pump(Socket from, Socket to, Forward note)
    {
        var buffer = new byte[BufferBytes];
        var descriptors = new int[Libc.MaxPassedDescriptors];
        while (true)
        {
            _ = from.Poll(-1, SelectMode.SelectRead);
            var count = Libc.ReceiveWithDescriptors((int)from.Handle, buffer, descriptors, out var passed, out _, Libc.MSG_DONTWAIT);
            if (count is -Errno.EINTR or -Errno.EAGAIN)
            {
                continue;
            }

            if (count <= 0)
            {
                return;
            }

            try
            {
                lock (_lock)
                {
                    note(buffer.AsSpan(0, (int)count), descriptors.AsSpan(0, passed));
                }
            }
            catch (Exception e) when (e is InvalidDataException or IOException)
            {
                Fail(e.Message);
            }

            var sent = SendAll(to, buffer.AsSpan(0, (int)count), descriptors.AsSpan(0, passed));
            foreach (var descriptor in descriptors.AsSpan(0, passed))
            {
                _ = Libc.Close(descriptor);
            }

            if (!sent)
            {
                return;
            }
        }
    }

    private static bool SendAll(Socket to, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors)
    {
        while (bytes.Length > 0)
        {
            var sent = Libc.SendWithDescriptors((int)to.Handle, bytes, descriptors, Libc.MSG_DONTWAIT);
            if (sent is -Errno.EINTR or -Errno.EAGAIN)
            {
                _ = to.Poll(-1, SelectMode.SelectWrite);
                continue;
            }

            if (sent < 0)
            {
                return false;
            }

            bytes = bytes[(int)sent..];
            descriptors = [];
        }

        return true;
    }

    private void FromClient(int number, ClientStream said, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors)
    {
        foreach (var descriptor in descriptors)
        {
            Write(number, SessionItemKind.Descriptor, SessionDescriptor.Describe(descriptor));
        }

        said.Add(bytes);
        while (said.TryTake(out var kind, out var text))
        {
            Write(number, kind, text);
        }
    }

    private void FromServer(int number, ClientStream said, LineBuffer answers, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var room = answers.Room();
            var count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room.Span);
            answers.Added(count);
            bytes = bytes[count..];
            while (answers.TryTake(out var line))
            {
                var text = Encoding.UTF8.GetString(line);
                if (!SessionText.IsEvent(text))
                {
                    WriteRest(number, said);
                }

                Write(number, SessionItemKind.Receive, text);
            }
        }
    }

    private void Write(int number, SessionItemKind kind, string text)
    {
        if (Problem is not null)
        {
            return;
        }

        text = kind switch
        {
            SessionItemKind.Receive => names.Generalize(text),
            SessionItemKind.Close => "",
            _ => names.GeneralizeNames(text),
        };
        writer.Item(new(0, kind, number, text));
        Items++;
    }

    private void WriteRest(int number, ClientStream said)
    {
        if (said.TryTakeRest(out var kind, out var text))
        {
            Write(number, kind, text);
        }
    }

    // A client that says no more may still read: its end is written down when the answers are.
    private void End(Connection connection)
    {
        if (--connection.Directions > 0)
        {
            return;
        }

        if (connection.ClientEndedFirst)
        {
            Write(connection.Number, SessionItemKind.Close, "");
        }

        _open.Remove(connection.Client);
        _open.Remove(connection.Peer);
        connection.Client.Dispose();
        connection.Peer.Dispose();
    }

    private void Fail(string problem)
    {
        lock (_lock)
        {
            Problem ??= problem;
        }
    }
}
