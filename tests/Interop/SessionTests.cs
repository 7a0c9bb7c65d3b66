using Qmp.Sessions;
using Qmp.Testing;
using Qmp.Testing.Sessions;

namespace Interop;

/// <summary>Each file in tests/sessions is played against qmpd, which must say what the recorded daemon said.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class SessionTests
{
    private static string Folder => Repository.PathOf("tests", "sessions");

    private static IEnumerable<TestCaseData> Files() =>
        Directory.GetFiles(Folder, "*.qmp").Order(StringComparer.Ordinal)
        .Select(path => new TestCaseData(path).SetArgDisplayNames(Path.GetFileNameWithoutExtension(path)));

    [TestCaseSource(nameof(Files))]
    public async Task QmpdSaysTheSame(string path)
    {
        SessionOutcome outcome = await SessionReplayer.ReplayAsync(DaemonProgram.Qmpd, SessionFile.Load(path));
        Assert.That(outcome.Agrees, Is.True, outcome.ToString);
    }

    /// <summary>Checks the recordings, not the product: run it by name where a recent peer is installed.</summary>
    [Explicit("depends on the version of the installed qemu-storage-daemon")]
    [TestCaseSource(nameof(Files))]
    public async Task PeerSaysTheSame(string path)
    {
        DaemonProgram peer = DaemonProgram.Peer ?? throw new IgnoreException("qemu-storage-daemon is not installed");
        SessionOutcome outcome = await SessionReplayer.ReplayAsync(peer, SessionFile.Load(path), TimeSpan.FromSeconds(5));
        Assert.That(outcome.Agrees, Is.True, outcome.ToString);
    }

    /// <summary>
    /// Writes the answers of the installed qemu-storage-daemon into the session files that the variable SESSIONS names
    /// (a shell pattern in tests/sessions, or a full path).
    /// </summary>
    [Explicit("changes files in the work tree")]
    [Test]
    public async Task RecordFromThePeer()
    {
        DaemonProgram peer = DaemonProgram.Peer ?? throw new IgnoreException("qemu-storage-daemon is not installed");
        string pattern = Environment.GetEnvironmentVariable("SESSIONS") ?? throw new IgnoreException("SESSIONS is not set");
        string[] files = Directory.GetFiles(Path.GetDirectoryName(Path.Combine(Folder, pattern))!, Path.GetFileName(pattern));
        Assert.That(files, Is.Not.Empty);
        foreach (string file in files)
        {
            await File.WriteAllTextAsync(file, await SessionReplayer.RecordAsync(peer, SessionFile.Load(file)));
        }
    }
}
