using Qmp.Block;

namespace Qmp.Server.Tests.Commands;

/// <summary>The drain commands: who is held, for how long, and whose section it is.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class DrainTests
{
    /// <summary>Long enough that nothing which need not wait for it is still running; the end of a test waits for it.</summary>
    private const long SlowNs = 5_000_000_000;

    private TestServer _server = null!;
    private TestClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _server = new TestServer();
        _client = _server.Connect();
        await _client.DoAsync("blockdev-add", """{"driver": "null-co", "node-name": "a", "size": 1048576}""");
        await _client.DoAsync("blockdev-add", """{"driver": "null-co", "node-name": "b", "size": 1048576}""");
        await _client.DoAsync("blockdev-add", $$"""{"driver": "null-aio", "node-name": "slow", "size": 1048576, "latency-ns": {{SlowNs}}}""");
        await _client.DoAsync("blockdev-add", """{"driver": "null-aio", "node-name": "lazy", "size": 1048576, "latency-ns": 50000000}""");
    }

    [TearDown]
    public ValueTask Stop() => _server.DisposeAsync();

    [Test]
    public async Task ASectionHoldsRequestsAndItsEndReleasesThem()
    {
        await _client.DoAsync("block-drain-begin", """{"id": "s", "nodes": ["a"]}""");
        Task<int> held = await WriteAsync("a");
        Task<int> free = await WriteAsync("b");

        Assert.That(await free.WaitAsync(TestServer.Patience), Is.Zero);
        Assert.That(held.IsCompleted, Is.False);
        Assert.That(_server.HasEvents, Is.False);

        await _client.DoAsync("block-drain-end", """{"id": "s"}""");
        Assert.That(await held.WaitAsync(TestServer.Patience), Is.Zero);
        Assert.That(await _server.NextEventAsync(), Is.EqualTo("""BLOCK_DRAIN_ENDED {"reason": "requested", "id": "s"}"""));
    }

    [Test]
    public async Task BeginningWaitsForWhatIsInFlight()
    {
        Task<int> write = await WriteAsync("lazy");
        await _client.DoAsync("block-drain-begin", """{"id": "s", "nodes": ["lazy"]}""");
        Assert.That(write.IsCompleted, Is.True);
    }

    [Test]
    public async Task DrainingOnceWaitsAndLetsGo()
    {
        Task<int> write = await WriteAsync("lazy");
        await _client.DoAsync("block-drain", """{"nodes": ["lazy"]}""");
        Assert.That(write.IsCompleted, Is.True);
        Assert.That(await (await WriteAsync("lazy")).WaitAsync(TestServer.Patience), Is.Zero);
    }

    [Test]
    public async Task DrainingAllWaitsForAll()
    {
        Task<int> write = await WriteAsync("lazy");
        await _client.DoAsync("block-drain", "{}");
        Assert.That(write.IsCompleted, Is.True);
    }

    [TestCase("block-drain", """{"timeout-ms": 20}""")]
    [TestCase("block-drain", """{"nodes": ["a", "slow"], "timeout-ms": 20}""")]
    [TestCase("block-drain-begin", """{"id": "s", "timeout-ms": 20}""")]
    [TestCase("block-drain-begin", """{"id": "s", "nodes": ["a", "slow"], "timeout-ms": 20}""")]
    [TestCase("transaction", """{"actions": [{"type": "block-drain-begin", "data": {"id": "s", "nodes": ["a"]}}, {"type": "block-drain-begin", "data": {"id": "t", "nodes": ["slow"], "timeout-ms": 20}}]}""")]
    public async Task ATimeoutIsAnErrorAndHoldsNothing(string command, string arguments)
    {
        _ = await WriteAsync("slow");
        Assert.That(
            await _client.SayAsync(command, arguments),
            Is.EqualTo("GenericError: Requests are still in flight after 20 ms"));

        Assert.That(await _client.SayAsync("query-block-drains"), Is.EqualTo("[]"));
        Assert.That(await (await WriteAsync("a")).WaitAsync(TestServer.Patience), Is.Zero);
        await _client.DoAsync("block-drain-begin", """{"id": "s", "nodes": ["a"]}""");
        Assert.That(_server.HasEvents, Is.False);
    }

    [Test]
    public async Task AnotherCommandCanRunWhileOneWaits()
    {
        _ = await WriteAsync("slow");
        Task<string> waiting = _client.SayAsync("block-drain", """{"nodes": ["slow"]}""");
        TestClient other = _server.Connect();
        await other.DoAsync("block-drain", """{"nodes": ["a"]}""");
        await other.DoAsync("blockdev-add", """{"driver": "null-co", "node-name": "c"}""");
        Assert.That(waiting.IsCompleted, Is.False);
        await _client.CloseAsync();
        Assert.That(await waiting, Is.EqualTo("GenericError: The wait for requests in flight was given up"));
    }

    [Test]
    public async Task ASectionEndsWithItsConnection()
    {
        TestClient other = _server.Connect();
        await other.DoAsync("block-drain-begin", """{"id": "s", "nodes": ["a", "b"]}""");
        Task<int> held = await WriteAsync("b");
        await other.CloseAsync();

        Assert.That(await _server.NextEventAsync(), Does.Contain("\"disconnected\""));
        Assert.That(await held.WaitAsync(TestServer.Patience), Is.Zero);
        Assert.That(await _client.SayAsync("query-block-drains"), Is.EqualTo("[]"));
    }

    [Test]
    public async Task ASectionEndsWhenItsTimeIsOver()
    {
        await _client.DoAsync("block-drain-begin", """{"id": "s", "nodes": ["a"], "max-duration-ms": 30}""");
        Task<int> held = await WriteAsync("a");

        Assert.That(await _server.NextEventAsync(), Does.Contain("\"expired\""));
        Assert.That(await held.WaitAsync(TestServer.Patience), Is.Zero);
        Assert.That(
            await _client.SayAsync("block-drain-end", """{"id": "s"}"""),
            Is.EqualTo("GenericError: Drained section 's' not found"));
    }

    [Test]
    public async Task ASectionEndsWithTheDaemon()
    {
        await _client.DoAsync("block-drain-begin", """{"id": "s"}""");
        await _server.OnMainAsync(_server.Context.Drains.ShutdownAsync);
        Assert.That(await _server.NextEventAsync(), Does.Contain("\"shutdown\""));
    }

    [Test]
    public async Task SectionsNest()
    {
        await _client.DoAsync("block-drain-begin", """{"id": "s", "nodes": ["a"]}""");
        await _client.DoAsync("block-drain-begin", """{"id": "t"}""");
        Task<int> held = await WriteAsync("a");
        await _client.DoAsync("block-drain-end", """{"id": "s"}""");
        await _client.DoAsync("block-drain", """{"nodes": ["a"]}""");
        Assert.That(held.IsCompleted, Is.False);
        await _client.DoAsync("block-drain-end", """{"id": "t"}""");
        Assert.That(await held.WaitAsync(TestServer.Patience), Is.Zero);
    }

    [Test]
    public async Task ASectionOverAllCoversWhatComesLater()
    {
        await _client.DoAsync("block-drain-begin", """{"id": "s"}""");
        await _client.DoAsync("blockdev-add", """{"driver": "null-co", "node-name": "late"}""");
        Task<int> held = await WriteAsync("late");
        Assert.That(await _client.SayAsync("query-block-drains"), Does.Contain("\"late\""));
        Assert.That(held.IsCompleted, Is.False);
        await _client.DoAsync("block-drain-end", """{"id": "s"}""");
        Assert.That(await held.WaitAsync(TestServer.Patience), Is.Zero);
    }

    [Test]
    public async Task ADrainedNodeCanBeResizedMovedAndRemoved()
    {
        await _client.DoAsync("object-add", """{"qom-type": "iothread", "id": "io0"}""");
        await _client.DoAsync("block-drain-begin", """{"id": "s", "nodes": ["a", "b"]}""");
        await _client.DoAsync("x-blockdev-set-iothread", """{"node-name": "b", "iothread": "io0"}""");
        Task<int> held = await WriteAsync("b");
        await _client.DoAsync("blockdev-del", """{"node-name": "a"}""");
        Assert.That(await _client.SayAsync("query-block-drains"), Does.Contain("""["b"]"""));
        await _client.DoAsync("blockdev-add", """{"driver": "null-co", "node-name": "a"}""");

        // A node that took the name of a removed one is another node.
        Assert.That(await (await WriteAsync("a")).WaitAsync(TestServer.Patience), Is.Zero);
        Assert.That(held.IsCompleted, Is.False);
        await _client.DoAsync("block-drain-end", """{"id": "s"}""");
        Assert.That(await held.WaitAsync(TestServer.Patience), Is.Zero);
    }

    [Test]
    public async Task SectionsAreListed()
    {
        TestClient other = _server.Connect();
        await _client.DoAsync("block-drain-begin", """{"id": "s", "nodes": ["b", "a", "b"], "max-duration-ms": 3600000}""");
        await other.DoAsync("block-drain-begin", """{"id": "t", "nodes": ["b"]}""");

        string list = await other.SayAsync("query-block-drains");
        using var json = System.Text.Json.JsonDocument.Parse(list);
        var drains = json.RootElement.EnumerateArray().ToArray();
        Assert.That(drains.Select(drain => drain.GetProperty("id").GetString()), Is.EqualTo((string[])["s", "t"]));
        Assert.That(drains.Select(drain => drain.GetProperty("own").GetBoolean()), Is.EqualTo((bool[])[false, true]));
        Assert.That(drains[0].GetProperty("nodes").EnumerateArray().Select(node => node.GetString()), Is.EqualTo((string[])["b", "a"]));
        Assert.That(drains[0].GetProperty("remaining-ms").GetUInt64(), Is.InRange(3_500_000, 3_600_000));
        Assert.That(drains[1].GetProperty("remaining-ms").GetUInt64(), Is.InRange(1, 60_000));
        Assert.That(
            drains.Select(drain => drain.GetProperty("age-ms").GetUInt64() + drain.GetProperty("remaining-ms").GetUInt64()),
            Is.EqualTo((ulong[])[3_600_000, 60_000]).Within(1));
    }

    [TestCase("block-drain", """{"nodes": ["nope"]}""", "Failed to find node with node-name='nope'")]
    [TestCase("block-drain", """{"nodes": []}""", "Parameter 'nodes' expects at least one node")]
    [TestCase("block-drain", """{"nodes": ["a", 1]}""", "Invalid parameter type for 'nodes[1]', expected: string")]
    [TestCase("block-drain", """{"timeout-ms": -1}""", "Parameter 'timeout-ms' expects uint32_t")]
    [TestCase("block-drain-begin", """{"nodes": ["a"]}""", "Parameter 'id' is missing")]
    [TestCase("block-drain-begin", """{"id": "1s"}""", "Parameter 'id' expects an identifier")]
    [TestCase("block-drain-begin", """{"id": ""}""", "Parameter 'id' expects an identifier")]
    [TestCase("block-drain-begin", """{"id": "t", "nodes": ["nope"]}""", "Failed to find node with node-name='nope'")]
    [TestCase("block-drain-begin", """{"id": "t", "max-duration-ms": 0}""", "Parameter 'max-duration-ms' expects a value of at least 1")]
    [TestCase("block-drain-begin", """{"id": "t", "max-duration-ms": 4294967296}""", "Parameter 'max-duration-ms' expects uint32_t")]
    [TestCase("block-drain-begin", """{"id": "s"}""", "Drained section 's' already exists")]
    [TestCase("block-drain-end", """{"id": "nope"}""", "Drained section 'nope' not found")]
    [TestCase("block-drain-end", """{"id": "theirs"}""", "Drained section 'theirs' belongs to another connection")]
    public async Task MistakesAreErrors(string command, string arguments, string error)
    {
        await _client.DoAsync("block-drain-begin", """{"id": "s", "nodes": ["b"]}""");
        await _server.Connect().DoAsync("block-drain-begin", """{"id": "theirs", "nodes": ["b"]}""");
        string before = await Ids();
        Assert.That(await _client.SayAsync(command, arguments), Is.EqualTo($"GenericError: {error}"));
        Assert.That(await Ids(), Is.EqualTo(before));
        Assert.That(await (await WriteAsync("a")).WaitAsync(TestServer.Patience), Is.Zero);

        async Task<string> Ids()
        {
            using var json = System.Text.Json.JsonDocument.Parse(await _client.SayAsync("query-block-drains"));
            return string.Join(' ', json.RootElement.EnumerateArray().Select(drain => drain.GetProperty("id").GetString()));
        }
    }

    /// <summary>Starts a write of 512 bytes; the task is its result.</summary>
    private Task<Task<int>> WriteAsync(string nodeName) => _server.OnMainAsync(async () =>
    {
        BlockNode node = _server.Graph.Find(nodeName);
        BlockBackend backend = await BlockBackend.CreateAsync(
            _server.Graph, node, "test", BlockPermissions.Write, BlockPermissions.All, client: null);
        return StartAsync(_server, backend);
    });

    private static async Task<int> StartAsync(TestServer server, BlockBackend backend)
    {
        await backend.Home.Enter();
        int result = await backend.WriteAsync(0, new byte[512]);
        await server.Main.Enter();
        await backend.CloseAsync();
        return result;
    }
}
