using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Qmp.Aio;

namespace Qmp.Testing;

/// <summary>An error reply.</summary>
public sealed class QmpReplyException(string errorClass, string description)
    : Exception($"{errorClass}: {description}")
{
    public string ErrorClass { get; } = errorClass;

    public string Description { get; } = description;
}

/// <summary>
/// The simplest QMP client: sends text, receives lines. It shares no code with the product but system calls, so that
/// both cannot be wrong in the same way.
/// </summary>
public sealed class QmpLineClient : IAsyncDisposable
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);

    private readonly Socket _socket;
    private readonly Queue<JsonElement> _events = new();
    private byte[] _buffer = new byte[65536];
    private int _start;
    private int _end;

    private QmpLineClient(Socket socket) => _socket = socket;

    /// <summary>The greeting, once <see cref="NegotiateAsync"/> has read it.</summary>
    public string Greeting { get; private set; } = "";

    /// <summary>Events that arrived before a reply that was waited for.</summary>
    public IReadOnlyCollection<JsonElement> Events => _events;

    public static async Task<QmpLineClient> ConnectAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            using var limit = new CancellationTokenSource(DefaultTimeout);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), limit.Token);
            return new QmpLineClient(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Reads the greeting and enters command mode.</summary>
    public async Task NegotiateAsync(bool outOfBand = false)
    {
        Greeting = await ReadLineAsync();
        await ExecuteAsync("qmp_capabilities", outOfBand ? """{"enable": ["oob"]}""" : null);
    }

    /// <summary>Sends a text and CR LF.</summary>
    public Task SendLineAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text + "\r\n"));

    /// <summary>Sends bytes as they are.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        using var limit = new CancellationTokenSource(DefaultTimeout);
        while (bytes.Length > 0)
        {
            int sent = await _socket.SendAsync(bytes, limit.Token);
            bytes = bytes[sent..];
        }
    }

    /// <summary>Sends a text as one message, with descriptors. It has to fit into the socket.</summary>
    public void SendWithDescriptors(string text, params ReadOnlySpan<int> descriptors)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        long sent = Libc.SendWithDescriptors((int)_socket.Handle, bytes, descriptors);
        if (sent != bytes.Length)
        {
            throw new IOException($"Sent {sent} of {bytes.Length} bytes.");
        }
    }

    /// <summary>The next line without its ending.</summary>
    /// <exception cref="EndOfStreamException">The other side has closed the connection.</exception>
    /// <exception cref="TimeoutException">Nothing came.</exception>
    public async Task<string> ReadLineAsync(TimeSpan? timeout = null) =>
        await TryReadLineAsync(timeout) ?? throw new EndOfStreamException("The connection was closed.");

    /// <summary>The next line without its ending, or null at the end of the stream.</summary>
    public async Task<string?> TryReadLineAsync(TimeSpan? timeout = null)
    {
        TimeSpan allowed = timeout ?? DefaultTimeout;
        using var limit = new CancellationTokenSource(allowed);
        int searched = _start;
        while (true)
        {
            int newline = Array.IndexOf(_buffer, (byte)'\n', searched, _end - searched);
            if (newline >= 0)
            {
                string line = Encoding.UTF8.GetString(_buffer, _start, newline - _start);
                _start = newline + 1;
                return line.EndsWith('\r') ? line[..^1] : line;
            }

            searched = MakeRoom(_end);
            int received;
            try
            {
                received = await _socket.ReceiveAsync(_buffer.AsMemory(_end), limit.Token);
            }
            catch (OperationCanceledException)
            {
                string rest = Encoding.UTF8.GetString(_buffer, _start, _end - _start);
                throw new TimeoutException($"No line within {allowed.TotalSeconds:F1} s; received so far: '{rest}'");
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset)
            {
                return null;
            }

            if (received == 0)
            {
                return _end == _start ? null : throw new EndOfStreamException("The connection was closed inside a line.");
            }

            _end += received;
        }
    }

    /// <summary>True when bytes are waiting that no call has asked for.</summary>
    public bool HasPendingInput => _end > _start || _socket.Available > 0;

    /// <summary>Runs a command; events that arrive before its reply are kept in <see cref="Events"/>.</summary>
    /// <returns>The value of "return".</returns>
    /// <exception cref="QmpReplyException">The daemon answered with an error.</exception>
    public async Task<JsonElement> ExecuteAsync(string command, string? arguments = null, TimeSpan? timeout = null)
    {
        await SendLineAsync(arguments == null
            ? $$"""{"execute": "{{command}}"}"""
            : $$"""{"execute": "{{command}}", "arguments": {{arguments}}}""");
        return await ReadReplyAsync(timeout);
    }

    /// <summary>Waits for the next reply; see <see cref="ExecuteAsync"/>.</summary>
    public async Task<JsonElement> ReadReplyAsync(TimeSpan? timeout = null)
    {
        while (true)
        {
            JsonElement message = Parse(await ReadLineAsync(timeout));
            if (message.TryGetProperty("event", out _))
            {
                _events.Enqueue(message);
            }
            else if (message.TryGetProperty("error", out JsonElement error))
            {
                throw new QmpReplyException(
                    error.GetProperty("class").GetString()!, error.GetProperty("desc").GetString()!);
            }
            else if (message.TryGetProperty("return", out JsonElement value))
            {
                return value;
            }
        }
    }

    /// <summary>Waits for an event of a name; others are dropped.</summary>
    public async Task<JsonElement> WaitForEventAsync(string name, TimeSpan? timeout = null)
    {
        while (true)
        {
            JsonElement message = _events.Count > 0 ? _events.Dequeue() : Parse(await ReadLineAsync(timeout));
            if (message.TryGetProperty("event", out JsonElement found) && found.GetString() == name)
            {
                return message;
            }
        }
    }

    /// <summary>Says that nothing more will be sent, and goes on receiving.</summary>
    public void ShutdownSend() => _socket.Shutdown(SocketShutdown.Send);

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private static JsonElement Parse(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }

    // Moves what is unread to the front, and doubles a full buffer. Returns where the given position went.
    private int MakeRoom(int position)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            position -= _start;
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        return position;
    }
}
