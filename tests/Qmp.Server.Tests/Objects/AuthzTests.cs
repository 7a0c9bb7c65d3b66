using Qmp.Server.Objects;
using Qmp.Server.Tests.Commands;
using Qmp.Testing;

namespace Qmp.Server.Tests.Objects;

/// <summary>Who is let in by objects <c>authz-*</c>.</summary>
[TestFixture]
public sealed class AuthzTests
{
    private TestServer _server = null!;
    private TestClient _client = null!;

    [SetUp]
    public void SetUp()
    {
        _server = new TestServer();
        _client = _server.Connect();
    }

    [TearDown]
    public async Task TearDown() => await _server.DisposeAsync();

    [Test]
    public async Task ASimpleOneLetsASingleIdentityIn()
    {
        await _client.DoAsync("object-add", """{"qom-type":"authz-simple","id":"a","identity":"CN=fred,O=x"}""");
        Assert.That(await AllowedAsync("a", "CN=fred,O=x", "CN=fred", "", "CN=fred,O=xx"), Is.EqualTo(new[] { "CN=fred,O=x" }));
        await _client.DoAsync("qom-set", """{"path":"a","property":"identity","value":"bob"}""");
        Assert.That(await AllowedAsync("a", "CN=fred,O=x", "bob"), Is.EqualTo(new[] { "bob" }));
    }

    [Test]
    public async Task TheFirstRuleThatMatchesDecides()
    {
        await _client.DoAsync("object-add", """
            {"qom-type":"authz-list","id":"a","policy":"deny","rules":[
             {"match":"fred*","policy":"allow","format":"exact"},
             {"match":"fred","policy":"deny"},
             {"match":"f*d","policy":"allow","format":"glob"},
             {"match":"*/[ab]?","policy":"allow","format":"glob"},
             {"match":"bob\\*","policy":"allow","format":"glob"}]}
            """);
        Assert.That(
            await AllowedAsync("a", "fred", "fred*", "f/.d", "fd", "Fd", "x/y/a1", "x/c1", "x/a12", "bob", "bob*", ""),
            Is.EqualTo(new[] { "fred*", "f/.d", "fd", "x/y/a1", "bob*" }));
    }

    [TestCase("{}", "")]
    [TestCase("""{"policy":"allow"}""", "x")]
    public async Task WithoutARuleThePolicyDecides(string properties, string allowed)
    {
        var separator = properties.Length > 2 ? "," : string.Empty;
        await _client.DoAsync("object-add", $$"""{"qom-type":"authz-list","id":"a"{{separator}}{{properties[1..]}}""");
        Assert.That(string.Concat(await AllowedAsync("a", "x")), Is.EqualTo(allowed));
    }

    [Test]
    public async Task AFileIsReadAgainWhenItChanges()
    {
        using WorkFolder folder = new();
        var path = Path.Combine(folder.Path, "list.json");
        await File.WriteAllTextAsync(path, """{"rules":[{"match":"fred","policy":"allow"}]}""");
        await _client.DoAsync("object-add", $$"""{"qom-type":"authz-listfile","id":"a","filename":"{{path}}"}""");
        Assert.That(await AllowedAsync("a", "fred", "bob"), Is.EqualTo(new[] { "fred" }));

        // Written in place.
        await File.WriteAllTextAsync(path, """{"rules":[{"match":"bob","policy":"allow"}]}""");
        await BecomesAsync("bob");

        // Unusable: nobody.
        await File.WriteAllTextAsync(path, """{"policy":"allow","rules":5}""");
        await BecomesAsync(string.Empty);

        // Replaced by renaming.
        await File.WriteAllTextAsync(path + ".new", """{"policy":"allow"}""");
        File.Move(path + ".new", path, overwrite: true);
        await BecomesAsync("fredbob");
        Assert.That(await _client.SayAsync("qom-list-get", """{"paths":["a"]}"""), Does.Contain("\"authz-list-file\""));
        await _client.DoAsync("object-del", """{"id":"a"}""");
    }

    [Test]
    public async Task AFileThatIsNotRefreshedStaysAsItWas()
    {
        using WorkFolder folder = new();
        var path = Path.Combine(folder.Path, "list.json");
        await File.WriteAllTextAsync(path, """{"policy":"allow"}""");
        await _client.DoAsync("object-add", $$"""{"qom-type":"authz-listfile","id":"still","filename":"{{path}}","refresh":false}""");
        await _client.DoAsync("object-add", $$"""{"qom-type":"authz-listfile","id":"a","filename":"{{path}}"}""");
        await File.WriteAllTextAsync(path, """{"policy":"deny"}""");
        await BecomesAsync(string.Empty);
        Assert.That(await AllowedAsync("still", "fred"), Is.EqualTo(new[] { "fred" }));
    }

    [TestCase(null, "GenericError: Unable to read 'FILE': Failed to open file \u201CFILE\u201D: No such file or directory")]
    [TestCase("[]", "GenericError: File 'FILE' must contain a JSON object")]
    [TestCase("", "GenericError: Expecting a JSON value")]
    [TestCase("{\"a\":", "GenericError: JSON parse error, premature EOI")]
    [TestCase("""{"x":1}""", "GenericError: Parameter 'x' is unexpected")]
    [TestCase("""{"rules":[{"match":"a"}]}""", "GenericError: Parameter 'rules[0].policy' is missing")]
    public async Task AnUnusableFileIsRefused(string? content, string expected)
    {
        using WorkFolder folder = new();
        var path = Path.Combine(folder.Path, "list.json");
        if (content is not null)
        {
            await File.WriteAllTextAsync(path, content);
        }

        var reply = await _client.SayAsync("object-add", $$"""{"qom-type":"authz-listfile","id":"a","filename":"{{path}}"}""");
        Assert.That(reply.Replace(path, "FILE", StringComparison.Ordinal), Is.EqualTo(expected));
    }

    private Task<string[]> AllowedAsync(string id, params string[] identities) => _server.OnMainAsync(() =>
    {
        var authz = AuthzObject.Find(_server.Context.Objects.Objects, id);
        return ValueTask.FromResult(identities.Where(authz.IsAllowed).ToArray());
    });

    // The kernel tells of the change, the loop hears of it: that takes a moment.
    private async Task BecomesAsync(string expected)
    {
        var deadline = DateTime.UtcNow + TestServer.Patience;
        string allowed;
        do
        {
            allowed = string.Concat(await AllowedAsync("a", "fred", "bob"));
        }
        while (allowed != expected && DateTime.UtcNow < deadline);
        Assert.That(allowed, Is.EqualTo(expected));
    }
}
