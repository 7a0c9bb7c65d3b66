using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Nerdbank.Streams;

namespace Qmp.Client.Tests;

/// <summary>A server that says what a test wants, in memory.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly IDuplexPipe _pipe;
    private readonly StreamReader _reader;

    private ScriptedServer(IDuplexPipe pipe)
    {
        _pipe = pipe;
        _reader = new StreamReader(pipe.Input.AsStream());
    }

    public QmpClient Client { get; private set; } = null!;

    /// <summary>A server and a client that are through with the greeting.</summary>
    public static async Task<ScriptedServer> StartAsync(QmpClientOptions? options = null)
    {
        var (client, pipe) = FullDuplexStream.CreatePipePair();
        var server = new ScriptedServer(pipe);
        var connecting = QmpClient.ConnectAsync(QmpEndpoint.Pipe(client), options);
        await server.SendAsync("""{"QMP": {"version": {"qemu": {"micro": 3, "minor": 2, "major": 9}, "package": "test"}, "capabilities": ["oob"]}}""");
        var negotiation = await server.ReceiveAsync();
        Assert.That(negotiation.GetProperty("execute").GetString(), Is.EqualTo("qmp_capabilities"));
        await server.ReplyAsync(negotiation, "{}");
        server.Client = await connecting;
        return server;
    }

    public async Task<JsonElement> ReceiveAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var line = await _reader.ReadLineAsync(limit.Token) ?? throw new EndOfStreamException();
        return JsonDocument.Parse(line).RootElement;
    }

    public async Task SendAsync(params string[] lines) =>
        await _pipe.Output.WriteAsync(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\r\n"))));

    public Task ReplyAsync(JsonElement request, string value) => SendAsync(Reply(request, value));

    public static string Reply(JsonElement request, string value) => $$"""{"return": {{value}}, "id": {{request.GetProperty("id").GetRawText()}}}""";

    public static string Event(string name, string data = "{}") =>
        $$"""{"timestamp": {"seconds": 1700000000, "microseconds": 250000}, "event": "{{name}}", "data": {{data}}}""";

    /// <summary>Ends the connection.</summary>
    public async Task CloseAsync()
    {
        await _pipe.Output.CompleteAsync();
        await _pipe.Input.CompleteAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await CloseAsync();
    }
}
