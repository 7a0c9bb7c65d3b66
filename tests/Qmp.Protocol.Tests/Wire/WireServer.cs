using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Text;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Wire;

namespace Qmp.Protocol.Tests.Wire;

/// <summary>
/// The server's end of one connection in memory, and the client's end for a test to hold. Commands: qmp_capabilities,
/// query-version, echo (text), hold (until released), now (also out of band).
/// </summary>
internal sealed class WireServer : IAsyncDisposable, IQmpConnection, IQmpEventSink
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Pipe _toServer;
    private readonly Pipe _toClient;
    private readonly StringBuilder _received = new();
    private readonly CancellationTokenSource _closed = new();

    public WireServer(bool isPretty = false, int outputPipeBytes = 1 << 16, IQmpDescriptorSource? descriptors = null)
    {
        _toServer = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        _toClient = new Pipe(new PipeOptions(
            pauseWriterThreshold: outputPipeBytes, resumeWriterThreshold: outputPipeBytes / 2, useSynchronizationContext: false));
        Handler = new QmpMessageHandler(
            new Duplex(_toServer.Reader, _toClient.Writer), new QmpMessageFormatter(isPretty), Scheduler)
        {
            Descriptors = descriptors,
        };
        Rpc = new QmpJsonRpc(Handler, Commands, new QmpCommandContext(this, this), (command, e) => Log.Enqueue($"{command}: {e.Message}"));
        Commands.Add("qmp_capabilities", (arguments, _) =>
        {
            Rpc.Negotiate(arguments.Count > 0 && arguments.Find(arguments.Root, "enable"u8) >= 0);
            return default;
        });
        Commands.Add("query-version", (_, _) => new(new TestResult(w => w.Value("$VERSION"))));
        Commands.Add("echo", (arguments, _) =>
        {
            Calls++;
            var reader = new QapiReader(arguments);
            var outer = reader.BeginObject();
            var text = reader.Member("text"u8).ReadString();
            reader.EndObject(outer);
            return new(TestResult.Text(text));
        });
        Commands.Add("hold", async (_, _) =>
        {
            Held.Release();
            await Release.Task;
            Finished.TrySetResult();
            return TestResult.Text("held");
        });
        Commands.Add("now", (_, _) => new(TestResult.Text("now")), allowOob: true);
    }

    public TestScheduler Scheduler { get; } = new();

    public TestCommands Commands { get; } = new();

    public QmpMessageHandler Handler { get; }

    public QmpJsonRpc Rpc { get; }

    public ConcurrentQueue<string> Log { get; } = [];

    public SemaphoreSlim Held { get; } = new(0);

    public TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Finished { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public volatile int Calls;

    public long Id => 1;

    public CancellationToken Closed => _closed.Token;

    public void Emit(QmpEvent qmpEvent) => Handler.Send(Encoding.UTF8.GetBytes(qmpEvent.Name));

    /// <summary>Starts, and negotiates unless told not to.</summary>
    public async Task<WireServer> StartAsync(bool negotiate = true, bool oob = false)
    {
        Rpc.StartListening();
        if (negotiate)
        {
            await SendAsync(oob ? """{"execute":"qmp_capabilities","arguments":{"enable":["oob"]}}""" : """{"execute":"qmp_capabilities"}""");
            Assert.That(await LineAsync(), Is.EqualTo("""{"return": {}}"""));
        }

        return this;
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    public async Task SendAsync(byte[] bytes) => await _toServer.Writer.WriteAsync(bytes).AsTask().WaitAsync(Patience);

    public void EndSending() => _toServer.Writer.Complete();

    /// <summary>The client is gone: it neither sends nor reads any more.</summary>
    public void Disconnect()
    {
        _toServer.Writer.Complete();
        _toClient.Reader.Complete();
    }

    /// <summary>The next line without its end; null at the end of the connection.</summary>
    public async Task<string?> LineAsync()
    {
        while (true)
        {
            var text = _received.ToString();
            var end = text.IndexOf("\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                _received.Remove(0, end + 2);
                return text[..end];
            }

            var result = await _toClient.Reader.ReadAsync().AsTask().WaitAsync(Patience);
            _received.Append(Encoding.UTF8.GetString(result.Buffer.ToArray()));
            _toClient.Reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted && result.Buffer.IsEmpty)
            {
                return null;
            }
        }
    }

    /// <summary>Sends text and a last command, and returns the lines before that one's reply.</summary>
    public async Task<List<string>> ExchangeAsync(byte[] bytes)
    {
        await SendAsync(bytes);
        await SendAsync("\xff\n{\"execute\":\"query-version\",\"id\":\"end\"}\n"u8.ToArray());
        var lines = new List<string>();
        while (await LineAsync() is { } line && !line.EndsWith("\"id\": \"end\"}", StringComparison.Ordinal))
        {
            lines.Add(line);
        }

        return lines;
    }

    public async ValueTask DisposeAsync()
    {
        Release.TrySetResult();
        Disconnect();
        await Scheduler.RunAsync(Handler.Dispose);
        Rpc.Dispose();
        Scheduler.Dispose();
        _closed.Dispose();
        Held.Dispose();
        Assert.That(Scheduler.Faults, Is.Empty, "nothing on the loop throws");
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
