using System.Text;
using Qmp.Testing;

namespace Interop;

/// <summary>Whatever a QMP client does, the next one is served.</summary>
[TestFixture]
public sealed class HostileClientTests
{
    private const long MemoryLimit = 256L << 20;

    private WorkFolder _folder = null!;
    private Daemon _daemon = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _folder = new WorkFolder();
        _daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, _folder.Path);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _daemon.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task AClientThatStopsReadingIsNotReadAnyFurther()
    {
        await using QmpLineClient client = await _daemon.ConnectAsync();
        byte[] requests = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("{\"execute\": \"query-qmp-schema\"}\n", 1000)));
        Task sending = SendForeverAsync(client, requests);
        for (int i = 0; i < 200; i++)
        {
            await AssertServedAsync();
        }

        Assert.That(_daemon.ResidentBytes(), Is.LessThan(MemoryLimit));
        await client.DisposeAsync();
        Assert.That(async () => await sending, Throws.Exception);
        await AssertServedAsync();
    }

    [Test]
    public async Task AnEndlessStringDoesNotFillTheMemory()
    {
        await using QmpLineClient client = await _daemon.ConnectAsync();
        await client.SendAsync("{\"execute\": \""u8.ToArray());
        byte[] text = new byte[1 << 20];
        text.AsSpan().Fill((byte)'x');
        try
        {
            for (int i = 0; i < 1024; i++)
            {
                await client.SendAsync(text);
            }
        }
        catch (System.Net.Sockets.SocketException)
        {
            // To close such a connection is a good answer.
        }

        await AssertServedAsync();
        Assert.That(_daemon.ResidentBytes(), Is.LessThan(MemoryLimit));
    }

    [TestCase("[")]
    [TestCase("{\"a\":")]
    public async Task DeepNestingIsAnError(string opening)
    {
        await using QmpLineClient client = await _daemon.ConnectAsync();
        await client.SendAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(opening, 100_000))));
        Assert.That(await client.ReadLineAsync(), Does.Contain("JSON"));
        await AssertServedAsync();
    }

    [Test]
    public async Task NoiseIsAnsweredWithErrors([Range(1, 5)] int seed)
    {
        var random = new Random(seed);
        await using QmpLineClient client = await _daemon.ConnectAsync();
        byte[] noise = new byte[4096];
        random.NextBytes(noise);
        await client.SendAsync(noise);
        Assert.That(await client.ReadLineAsync(), Does.Contain("\"error\""));
        await AssertServedAsync();
    }

    [Test]
    public async Task AHalfClosedConnectionGetsItsReplies()
    {
        await using QmpLineClient client = await _daemon.ConnectAsync();
        await client.SendLineAsync("""{"execute": "query-version", "id": 1}""");
        client.ShutdownSend();
        Assert.That(await client.ReadLineAsync(), Does.EndWith("\"id\": 1}"));
        Assert.That(await client.TryReadLineAsync(), Is.Null);
        await AssertServedAsync();
    }

    [Test]
    public async Task AHundredClientsAreServedAtOnce()
    {
        QmpLineClient[] clients = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => _daemon.ConnectAsync()));
        await Task.WhenAll(clients.Select(async (client, i) =>
        {
            for (int n = 0; n < 20; n++)
            {
                await client.SendLineAsync($$"""{"execute": "query-block-exports", "id": "{{i}}/{{n}}"}""");
            }

            for (int n = 0; n < 20; n++)
            {
                Assert.That(await client.ReadLineAsync(), Is.EqualTo($$"""{"return": [], "id": "{{i}}/{{n}}"}"""));
            }
        }));
        foreach (QmpLineClient client in clients)
        {
            await client.DisposeAsync();
        }

        await AssertServedAsync();
    }

    private static async Task SendForeverAsync(QmpLineClient client, byte[] bytes)
    {
        while (true)
        {
            await client.SendAsync(bytes);
        }
    }

    private async Task AssertServedAsync()
    {
        await using QmpLineClient client = await _daemon.ConnectAsync();
        await client.ExecuteAsync("query-version");
        Assert.That(_daemon.HasExited, Is.False);
    }
}
