using System.Text;
using System.Text.Json;
using Qmp.Testing;

namespace Qmp.Protocol.Tests.Wire;

/// <summary>Recorded sessions about the wire itself, answered by the engine in this process. The daemon answers all of
/// them in tests/Interop.</summary>
[TestFixture]
[Parallelizable(ParallelScope.All)]
public sealed class RecordedSessionTests
{
    [TestCase("wire-before-capabilities")]
    [TestCase("wire-duplicates")]
    [TestCase("wire-ids")]
    [TestCase("wire-quotes")]
    [TestCase("wire-syntax-strings")]
    public async Task IsAnsweredAsRecorded(string name)
    {
        await using var server = await new WireServer().StartAsync(negotiate: false);
        var compared = 0;
        foreach (var line in File.ReadLines(Repository.PathOf("tests", "sessions", name + ".qmp")))
        {
            if (line.StartsWith("-> ", StringComparison.Ordinal))
            {
                await server.SendAsync(line[3..] + "\r\n");
            }
            else if (line.StartsWith("=> ", StringComparison.Ordinal))
            {
                await server.SendAsync(Encoding.Latin1.GetBytes(JsonSerializer.Deserialize<string>(line[3..])!));
            }
            else if (line.StartsWith("<- ", StringComparison.Ordinal) && !line.Contains("\"QMP\"", StringComparison.Ordinal))
            {
                Assert.That(Normal((await server.LineAsync())!), Is.EqualTo(Normal(line[3..])));
                compared++;
            }
        }

        Assert.That(compared, Is.Positive);
    }

    // Quoting may differ, the order of members may not.
    private static string Normal(string json) => JsonSerializer.Serialize(JsonDocument.Parse(json).RootElement);
}
