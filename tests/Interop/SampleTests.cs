using Qmp.Testing;

namespace Interop;

/// <summary>Every sample runs as it stands, from another folder, and leaves nothing behind.</summary>
[TestFixture]
public sealed class SampleTests
{
    private static IEnumerable<TestCaseData> Scripts() =>
        Directory.GetFiles(Repository.PathOf("samples"), "*.sh").Order(StringComparer.Ordinal)
        .Where(path => File.ReadLines(path).First().StartsWith("#!", StringComparison.Ordinal))
        .Select(path => new TestCaseData(path).SetArgDisplayNames(Path.GetFileNameWithoutExtension(path)));

    [TestCaseSource(nameof(Scripts))]
    public async Task SampleRuns(string script)
    {
        using var folder = new WorkFolder();
        ShellResult result = await Shell.RunAsync(
            $"TMPDIR={folder.Path} QMPD={DaemonProgram.Qmpd.Path} {script}", folder.Path);
        Assert.That(result.ExitStatus, Is.Zero, result.Output);
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Path), Is.Empty, result.Output);
    }

    [Test]
    public async Task SamplesReadmeListsThemAll()
    {
        string text = await File.ReadAllTextAsync(Repository.PathOf("samples", "README.md"));
        Assert.That(Scripts().Select(data => Path.GetFileName((string)data.Arguments[0]!)),
            Is.All.Matches<string>(name => text.Contains($"({name})", StringComparison.Ordinal)));
    }
}
