using Qmp.Block;

namespace Qmp.Server.Tests.Commands;

/// <summary>All or nothing: whichever action fails, and wherever it stands, everything is as it was before.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class TransactionTests
{
    /// <summary>One of each kind, in an order in which they build on each other; all of them succeed.</summary>
    private static readonly string[] Good =
    [
        """{"type": "block-dirty-bitmap-add", "data": {"node": "a", "name": "new", "granularity": 512}}""",
        """{"type": "block-dirty-bitmap-merge", "data": {"node": "a", "target": "new", "bitmaps": ["dirty", {"node": "b", "name": "dirty"}]}}""",
        """{"type": "block-drain-begin", "data": {"id": "s", "nodes": ["a", "b"]}}""",
        """{"type": "block-dirty-bitmap-clear", "data": {"node": "a", "name": "dirty"}}""",
        """{"type": "block-dirty-bitmap-disable", "data": {"node": "b", "name": "dirty"}}""",
        """{"type": "block-dirty-bitmap-enable", "data": {"node": "a", "name": "off"}}""",
        """{"type": "block-dirty-bitmap-remove", "data": {"node": "b", "name": "spare"}}""",
    ];

    /// <summary>For each kind an action that fails, and what the client reads.</summary>
    private static readonly (string Action, string Error)[] Bad =
    [
        ("""{"type": "abort", "data": {}}""", "Transaction aborted using Abort action"),
        ("""{"type": "block-dirty-bitmap-add", "data": {"node": "a", "name": "dirty"}}""", "Bitmap already exists: dirty"),
        ("""{"type": "block-dirty-bitmap-add", "data": {"node": "nope", "name": "x"}}""", "Cannot find device='nope' nor node-name='nope'"),
        ("""{"type": "block-dirty-bitmap-remove", "data": {"node": "a", "name": "nope"}}""", "Dirty bitmap 'nope' not found"),
        ("""{"type": "block-dirty-bitmap-clear", "data": {"node": "nope", "name": "dirty"}}""", "Node 'nope' not found"),
        ("""{"type": "block-dirty-bitmap-enable", "data": {"node": "a", "name": "nope"}}""", "Dirty bitmap 'nope' not found"),
        ("""{"type": "block-dirty-bitmap-disable", "data": {"node": "a", "name": "nope"}}""", "Dirty bitmap 'nope' not found"),
        ("""{"type": "block-dirty-bitmap-merge", "data": {"node": "b", "target": "off", "bitmaps": ["dirty", "nope"]}}""", "Dirty bitmap 'off' not found"),
        ("""{"type": "block-dirty-bitmap-merge", "data": {"node": "b", "target": "dirty", "bitmaps": [{"node": "a", "name": "off"}, "nope"]}}""", "Dirty bitmap 'nope' not found"),
        ("""{"type": "block-drain-begin", "data": {"id": "taken", "nodes": ["a"]}}""", "Drained section 'taken' already exists"),
        ("""{"type": "block-drain-begin", "data": {"id": "t", "nodes": ["a", "nope"]}}""", "Failed to find node with node-name='nope'"),
    ];

    private TestServer _server = null!;
    private TestClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _server = new TestServer();
        _client = _server.Connect();
        foreach (string node in (string[])["a", "b", "c"])
        {
            await _client.DoAsync("blockdev-add", $$"""{"driver": "null-co", "node-name": "{{node}}", "size": 1048576}""");
        }

        await _client.DoAsync("block-dirty-bitmap-add", """{"node": "a", "name": "dirty"}""");
        await _client.DoAsync("block-dirty-bitmap-add", """{"node": "b", "name": "dirty", "granularity": 4096}""");
        await WriteAsync("a", 65536);
        await WriteAsync("b", 131072);
        await _client.DoAsync("block-dirty-bitmap-add", """{"node": "a", "name": "off", "disabled": true}""");
        await _client.DoAsync("block-dirty-bitmap-add", """{"node": "b", "name": "spare"}""");
        await _client.DoAsync("block-drain-begin", """{"id": "taken", "nodes": ["c"]}""");
    }

    [TearDown]
    public ValueTask Stop() => _server.DisposeAsync();

    private static IEnumerable<TestCaseData> BadAtEveryPlace() =>
        from bad in Bad.Index()
        from place in Enumerable.Range(0, Good.Length + 1)
        select new TestCaseData(place, bad.Item.Action, bad.Item.Error).SetArgDisplayNames($"{bad.Index}", $"{place}");

    [TestCaseSource(nameof(BadAtEveryPlace))]
    public async Task NothingRemains(int place, string bad, string error)
    {
        string before = await StateAsync();
        string[] actions = [.. Good[..place], bad, .. Good[place..]];
        Assert.That(
            await _client.SayAsync("transaction", $$"""{"actions": [{{string.Join(", ", actions)}}]}"""),
            Is.EqualTo($"GenericError: {error}"));

        Assert.That(await StateAsync(), Is.EqualTo(before));
        Assert.That(_server.HasEvents, Is.False);

        // No drained section has stayed behind either: writes go through, and bitmaps record them where they did.
        await WriteAsync("a", 0);
        await WriteAsync("b", 0);
        Assert.That(await StateAsync(), Does.Contain("a/dirty 131072 on").And.Contain("b/dirty 8192 on").And.Contain("a/off 0 off"));
    }

    [Test]
    public async Task EverythingHappens()
    {
        await _client.DoAsync("transaction", $$"""{"actions": [{{string.Join(", ", Good)}}]}""");
        Assert.That(
            await StateAsync(),
            Is.EqualTo("a/new 69632 on; a/off 0 on; a/dirty 0 on; b/dirty 4096 off; sections taken s; graph " + await GraphAsync()));

        // The section that the transaction began holds until its end.
        Task<int> held = StartWriteAsync("a", 0);
        await _client.DoAsync("block-drain-end", """{"id": "s"}""");
        Assert.That(await held.WaitAsync(TestServer.Patience), Is.Zero);
    }

    [Test]
    public async Task SeveralDisksStopTogetherOrNotAtAll()
    {
        await _client.DoAsync("transaction", """{"actions": [{"type": "block-drain-begin", "data": {"id": "x", "nodes": ["a"]}}, {"type": "block-drain-begin", "data": {"id": "y", "nodes": ["b"]}}]}""");
        Assert.That(await StateAsync(), Does.Contain("sections taken x y"));

        string sameTwice = """{"actions": [{"type": "block-drain-begin", "data": {"id": "z", "nodes": ["a"]}}, {"type": "block-drain-begin", "data": {"id": "z", "nodes": ["b"]}}]}""";
        Assert.That(await _client.SayAsync("transaction", sameTwice), Is.EqualTo("GenericError: Drained section 'z' already exists"));
        Assert.That(await StateAsync(), Does.Contain("sections taken x y;"));
    }

    [TestCase("block-dirty-bitmap-add", """{"node": "a", "name": "z"}""")]
    [TestCase("block-drain-begin", """{"id": "z"}""")]
    [TestCase("abort", "{}")]
    public async Task GroupsAreForJobs(string type, string data)
    {
        string before = await StateAsync();
        Assert.That(
            await _client.SayAsync("transaction", $$$"""{"actions": [{"type": "{{{type}}}", "data": {{{data}}}}], "properties": {"completion-mode": "grouped"}}"""),
            Is.EqualTo($"GenericError: Action '{type}' does not support transaction property completion-mode = grouped"));
        Assert.That(await StateAsync(), Is.EqualTo(before));
    }

    [TestCase("""{"actions": []}""")]
    [TestCase("""{"actions": [], "properties": {"completion-mode": "grouped"}}""")]
    [TestCase("""{"actions": [], "properties": {}}""")]
    public Task NothingToDoIsFine(string arguments) => _client.DoAsync("transaction", arguments);

    private async Task WriteAsync(string nodeName, long offset) =>
        Assert.That(await StartWriteAsync(nodeName, offset).WaitAsync(TestServer.Patience), Is.Zero);

    private async Task<int> StartWriteAsync(string nodeName, long offset)
    {
        await _server.Main.Enter();
        BlockBackend backend = await BlockBackend.CreateAsync(
            _server.Graph, _server.Graph.Find(nodeName), "test", BlockPermissions.Write, BlockPermissions.All, client: null);
        int result = await backend.WriteAsync(offset, new byte[512]);
        await backend.CloseAsync();
        return result;
    }

    /// <summary>All that a transaction could have changed.</summary>
    private async Task<string> StateAsync()
    {
        using var nodes = System.Text.Json.JsonDocument.Parse(await _client.SayAsync("query-named-block-nodes"));
        IEnumerable<string> bitmaps =
            from node in nodes.RootElement.EnumerateArray().Reverse()
            where node.TryGetProperty("dirty-bitmaps", out _)
            from bitmap in node.GetProperty("dirty-bitmaps").EnumerateArray()
            let recording = bitmap.GetProperty("recording").GetBoolean() ? "on" : "off"
            let busy = bitmap.GetProperty("busy").GetBoolean() ? " busy" : ""
            select $"{node.GetProperty("node-name")}/{bitmap.GetProperty("name")} {bitmap.GetProperty("count")} {recording}{busy}";
        using var drains = System.Text.Json.JsonDocument.Parse(await _client.SayAsync("query-block-drains"));
        IEnumerable<string?> sections = drains.RootElement.EnumerateArray().Select(drain => drain.GetProperty("id").GetString());
        return $"{string.Join("; ", bitmaps)}; sections {string.Join(' ', sections)}; graph {await GraphAsync()}";
    }

    private Task<string> GraphAsync() => _client.SayAsync("x-debug-query-block-graph");
}
