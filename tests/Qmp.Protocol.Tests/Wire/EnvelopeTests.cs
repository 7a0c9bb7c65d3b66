namespace Qmp.Protocol.Tests.Wire;

/// <summary>The outer object of a request: texts and precedence of the real daemon.</summary>
[TestFixture]
[Parallelizable(ParallelScope.All)]
public sealed class EnvelopeTests
{
    [TestCase("[]", "QMP input must be a JSON object")]
    [TestCase("1", "QMP input must be a JSON object")]
    [TestCase("{}", "QMP input lacks member 'execute'")]
    [TestCase("{'foo':1}", "QMP input member 'foo' is unexpected")]
    [TestCase("{'execute':1}", "QMP input member 'execute' must be a string")]
    [TestCase("{'execute':'now','arguments':[]}", "QMP input member 'arguments' must be an object")]
    [TestCase("{'execute':'now','arguments':null}", "QMP input member 'arguments' must be an object")]
    [TestCase("{'execute':'nope','arguments':1}", "QMP input member 'arguments' must be an object")]
    [TestCase("{'execute':1,'arguments':1,'foo':1}", "QMP input member 'execute' must be a string")]
    [TestCase("{'zzz':1,'aaa':2,'execute':'now'}", "QMP input member 'aaa' is unexpected")]
    [TestCase("{'exec-oob':'now'}", "QMP input member 'exec-oob' is unexpected")]
    [TestCase("{'execute':'now','joinableTaskToken':'x'}", "QMP input member 'joinableTaskToken' is unexpected")]
    public async Task WithoutOob(string request, string error) => await Check(request, error, oob: false);

    [TestCase("{'exec-oob':1}", "QMP input member 'exec-oob' must be a string")]
    [TestCase("{'exec-oob':'echo'}", "The command echo does not support OOB")]
    [TestCase("{'execute':'x','exec-oob':'x'}", "QMP input member 'execute' clashes with 'exec-oob'")]
    [TestCase("{'execute':'x','exec-oob':'x','aaa':1}", "QMP input member 'aaa' is unexpected")]
    [TestCase("{'execute':1,'exec-oob':1}", "QMP input member 'exec-oob' must be a string")]
    [TestCase("{'exec-oob':'x','arguments':1}", "QMP input member 'arguments' must be an object")]
    public async Task WithOob(string request, string error) => await Check(request, error, oob: true);

    [TestCase("{'execute':'now'}")]
    [TestCase("{'execute':'foo'}")]
    public async Task BeforeNegotiationThereIsOneCommand(string request)
    {
        await using var server = await new WireServer().StartAsync(negotiate: false);
        await server.SendAsync(request);
        Assert.That(await server.LineAsync(), Is.EqualTo(
            """{"error": {"class": "CommandNotFound", "desc": "Expecting capabilities negotiation with 'qmp_capabilities'"}}"""));
    }

    [Test]
    public async Task NegotiationHappensOnce()
    {
        await using var server = await new WireServer().StartAsync();
        await server.SendAsync("{'execute':'qmp_capabilities'}");
        Assert.That(await server.LineAsync(), Is.EqualTo(
            """{"error": {"class": "CommandNotFound", "desc": "Capabilities negotiation is already complete, command ignored"}}"""));
    }

    [Test]
    public async Task PrettyOutputHasALinePerMember()
    {
        await using var server = await new WireServer(isPretty: true).StartAsync(negotiate: false);
        await server.SendAsync("{'execute':'qmp_capabilities','id':[]}");
        string?[] lines = [await server.LineAsync(), await server.LineAsync(), await server.LineAsync(), await server.LineAsync(), await server.LineAsync(), await server.LineAsync()];
        Assert.That(lines, Is.EqualTo(new[] { "{", "    \"return\": {", "    },", "    \"id\": [", "    ]", "}" }));
    }

    private static async Task Check(string request, string error, bool oob)
    {
        await using var server = await new WireServer().StartAsync(oob: oob);
        await server.SendAsync(request + "\n");
        Assert.That(await server.LineAsync(), Is.EqualTo($$$"""{"error": {"class": "GenericError", "desc": "{{{error}}}"}}"""));
    }
}
