using Qmp.Schema.Manual;
using Qmp.Sessions;
using Qmp.Testing;
using Qmp.Testing.Sessions;

namespace Interop;

/// <summary>The examples of the reference manual are what the daemon says.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class ManualTests
{
    private static readonly IReadOnlyDictionary<string, string> examples =
        ReferenceManual.Load(Repository.PathOf("schema", "qapi-schema.json"), path => File.Exists(path) ? File.ReadAllText(path) : null).Examples();

    private static IEnumerable<string> Names() => examples.Keys;

    [TestCaseSource(nameof(Names))]
    public async Task TheExampleIsTrue(string name)
    {
        using var folder = new WorkFolder();
        string path = folder.File(name + ".qmp");
        await File.WriteAllTextAsync(path, examples[name]);
        SessionOutcome outcome = await SessionReplayer.ReplayAsync(DaemonProgram.Qmpd, SessionFile.Load(path));
        Assert.That(outcome.Agrees, Is.True, outcome.ToString);
    }
}
