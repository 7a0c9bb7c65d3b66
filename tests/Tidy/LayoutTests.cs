using System.Text.RegularExpressions;
using Qmp.Testing;

namespace Tidy;

/// <summary>What lies where.</summary>
[TestFixture]
public sealed partial class LayoutTests
{
    private static readonly string[] Folders = ["src", "tests", "schema", "samples"];

    private static readonly string[] TopLevel =
    [
        .. Folders, "Qmp.sln", "README.md", "LICENSE",
        "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json", "nuget.config",
    ];

    private static readonly string[] TextFiles = [".cs", ".md", ".json", ".props", ".csproj", ".sh", ".c", ".qmp", ".txt", "run"];

    [Test]
    public void TheTopLevelHoldsNothingElse()
    {
        IEnumerable<string> found = SourceFiles.All.Select(path => path.Split('/')[0]).Distinct()
            .Where(name => !name.StartsWith('.'));
        Assert.That(found, Is.SubsetOf(TopLevel));
    }

    [TestCaseSource(nameof(Folders))]
    public void EachFolderExplainsItself(string folder) =>
        Assert.That(SourceFiles.All, Does.Contain(folder + "/README.md"));

    /// <summary>A package without a description or a README is one that nobody can use.</summary>
    [Test]
    public void EachPackageExplainsItself()
    {
        IEnumerable<string> packages = SourceFiles.Under("src", ".csproj")
            .Where(path => Path.GetFileName(path).StartsWith("Qmp.", StringComparison.Ordinal) && !path.EndsWith(".Generator.csproj", StringComparison.Ordinal));
        IEnumerable<string> wrong = packages.Where(path => !File.ReadAllText(Repository.PathOf(path)).Contains("<Description>", StringComparison.Ordinal)
            || !SourceFiles.All.Contains(path[..path.LastIndexOf('/')] + "/README.md"));
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void MarkdownBeginsWithOneTitle()
    {
        var wrong = SourceFiles.All.Where(path => path.EndsWith(".md", StringComparison.Ordinal))
            .Where(path => !SourceFiles.Lines(path)[0].StartsWith("# ", StringComparison.Ordinal));
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void LinksBetweenFilesLead()
    {
        var wrong = new List<string>();
        foreach (string path in SourceFiles.All.Where(path => path.EndsWith(".md", StringComparison.Ordinal)))
        {
            foreach (Match match in MarkdownLink().Matches(File.ReadAllText(Repository.PathOf(path))))
            {
                string target = match.Groups[1].Value.Split('#')[0];
                string full = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Repository.PathOf(path))!, target));
                if (target.Length > 0 && !target.Contains("://", StringComparison.Ordinal) && !Path.Exists(full))
                {
                    wrong.Add($"{path}: {match.Groups[1].Value}");
                }
            }
        }

        Assert.That(wrong, Is.Empty);
    }

    /// <summary>Paths of one developer's machine work nowhere else.</summary>
    [Test]
    public void NothingPointsIntoAMachine()
    {
        IEnumerable<string> wrong = SourceFiles.All.Where(path => TextFiles.Any(ending => path.EndsWith(ending, StringComparison.Ordinal)))
            .SelectMany(path => SourceFiles.Lines(path).Where(line => MachinePath().IsMatch(line)).Select(line => $"{path}: {line}"));
        Assert.That(wrong, Is.Empty);
    }

    [TestCase("see /" + "work/thing", true)]
    [TestCase("see \"/" + "home/me/thing\"", true)]
    [TestCase("src/work/thing", false)]
    [TestCase("a /works/ path", false)]
    public void TheCheckItselfFindsPaths(string line, bool found) =>
        Assert.That(MachinePath().IsMatch(line), Is.EqualTo(found));

    [Test]
    public void NoUnfinishedBusiness()
    {
        IEnumerable<string> wrong = SourceFiles.All.Where(path => path.EndsWith(".cs", StringComparison.Ordinal))
            .SelectMany(path => SourceFiles.Lines(path).Select((line, i) => (path, i, line)))
            .Where(found => Marker().IsMatch(found.line))
            .Select(found => $"{found.path}:{found.i + 1}: finish it or file it: {found.line.Trim()}");
        Assert.That(wrong, Is.Empty);
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex MarkdownLink();

    [GeneratedRegex(@"(?<![\w.])/(?:work|home|Users)/\w")]
    private static partial Regex MachinePath();

    [GeneratedRegex("//.*\\b(?:FIX" + "ME|HA" + "CK|XX" + "X|TO" + "DO)\\b(?!:?</c>)")]
    private static partial Regex Marker();
}
