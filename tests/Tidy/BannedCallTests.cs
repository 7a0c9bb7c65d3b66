using System.Text.RegularExpressions;
using System.Xml.Linq;
using Qmp.Testing;

namespace Tidy;

/// <summary>
/// Below the server no call may block a loop, and time and chance come from where simulation controls them. The
/// compiler refuses what src/BannedSymbols.txt lists; these tests hold that list and its use.
/// </summary>
[TestFixture]
public sealed partial class BannedCallTests
{
    private static readonly string[] Libraries = ["Qmp.Schema", "Qmp.Protocol", "Qmp.Aio", "Qmp.Block", "Qmp.Virtio"];

    [TestCase("M:System.Threading.Tasks.Task.Run(System.Action)")]
    [TestCase("P:System.Threading.Tasks.Task`1.Result")]
    [TestCase("M:System.Threading.Tasks.Task.Wait")]
    [TestCase("M:System.Threading.Thread.Sleep(System.Int32)")]
    [TestCase("P:System.DateTime.Now")]
    [TestCase("M:System.Random.#ctor")]
    public void TheCompilerRefuses(string symbol) =>
        Assert.That(SourceFiles.Lines("src/BannedSymbols.txt"), Has.Some.StartsWith(symbol + ";"));

    [Test]
    public void EachBanSaysWhatToDoInstead() =>
        Assert.That(SourceFiles.Lines("src/BannedSymbols.txt"), Is.All.Match("^[A-Z]:[^;]+;.{10,}$"));

    [Test]
    public void EveryLibraryIsChecked()
    {
        XElement group = XDocument.Load(Repository.PathOf("src", "Directory.Build.props")).Descendants("AdditionalFiles")
            .Single(item => item.Attribute("Include")!.Value.EndsWith("BannedSymbols.txt", StringComparison.Ordinal)).Parent!;
        string condition = group.Attribute("Condition")?.Value ?? "";
        Assert.That(Libraries, Has.None.Matches<string>(name => condition.Contains($"'{name}'", StringComparison.Ordinal)));
        Assert.That(group.Elements("PackageReference").Select(item => item.Attribute("Include")!.Value),
            Does.Contain("Microsoft.CodeAnalysis.BannedApiAnalyzers"));
    }

    [TestCaseSource(nameof(Libraries))]
    public void NoFileSwitchesTheCheckOff(string library)
    {
        IEnumerable<string> wrong = SourceFiles.Under("src/" + library)
            .SelectMany(path => SourceFiles.Lines(path).Where(line => Switch().IsMatch(line)).Select(line => $"{path}: {line}"));
        Assert.That(wrong, Is.Empty);
    }

    [GeneratedRegex("RS0030")]
    private static partial Regex Switch();
}
