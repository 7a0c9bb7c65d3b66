using System.Text.RegularExpressions;
using System.Xml.Linq;
using Qmp.Testing;

namespace Tidy;

/// <summary>Dependencies point downward only, between projects and between namespaces.</summary>
[TestFixture]
public sealed partial class DependencyTests
{
    // What each library may know of, directly or not. The generator runs in the compiler and knows the schema only.
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Qmp.Schema"] = [],
        ["Qmp.Schema.Generator"] = ["Qmp.Schema"],
        ["Qmp.Protocol"] = ["Qmp.Schema", "Qmp.Schema.Generator"],
        ["Qmp.Client"] = ["Qmp.Protocol", "Qmp.Schema", "Qmp.Schema.Generator"],
        ["Qmp.Hosting"] = ["Qmp.Protocol", "Qmp.Schema"],
        ["Qmp.Aio"] = [],
        ["Qmp.Block"] = ["Qmp.Aio", "Qmp.Protocol"],
        ["Qmp.Virtio"] = ["Qmp.Block", "Qmp.Aio"],
        ["Qmp.Server"] = ["Qmp.Virtio", "Qmp.Block", "Qmp.Aio", "Qmp.Protocol", "Qmp.Schema"],
        ["Qmp.Sessions"] = ["Qmp.Aio"],
        ["qmp"] = ["Qmp.Sessions", "Qmp.Client", "Qmp.Protocol", "Qmp.Schema", "Qmp.Aio"],
        ["qmpd"] = ["Qmp.Server", "Qmp.Virtio", "Qmp.Block", "Qmp.Aio", "Qmp.Protocol", "Qmp.Schema"],
    };

    private static IEnumerable<string> Projects => Allowed.Keys;

    [Test]
    public void EveryProjectUnderSrcHasARule()
    {
        IEnumerable<string> found = SourceFiles.Under("src", ".csproj").Select(path => Path.GetFileNameWithoutExtension(path));
        Assert.That(found, Is.EquivalentTo(Allowed.Keys));
    }

    [TestCaseSource(nameof(Projects))]
    public void ProjectReferencesPointDownward(string project)
    {
        XDocument file = XDocument.Load(Repository.PathOf("src", project, project + ".csproj"));
        IEnumerable<string> referenced = file.Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));
        Assert.That(referenced, Is.SubsetOf(Allowed[project]));
    }

    [TestCaseSource(nameof(Projects))]
    public void NamespacesPointDownward(string project)
    {
        // A program's own namespace cannot be its project's name.
        var allowed = Allowed[project].Append(project switch { "qmpd" => "Qmp.Daemon", "qmp" => "Qmp.Tool", _ => project }).ToHashSet();
        var wrong = new List<string>();
        foreach (string path in SourceFiles.Under("src/" + project, ".cs"))
        {
            string[] lines = SourceFiles.Lines(path);
            for (int i = 0; i < lines.Length; i++)
            {
                wrong.AddRange(NamespacesIn(lines[i]).Where(name => !allowed.Contains(name))
                    .Select(name => $"{path}:{i + 1}: {project} must not know {name}"));
            }
        }

        Assert.That(wrong, Is.Empty);
    }

    [TestCase("using Qmp.Block.Drivers;", "Qmp.Block")]
    [TestCase("    Qmp.Server.Thing x;", "Qmp.Server")]
    [TestCase("using Qmp.Protocol.Schema;", "Qmp.Protocol")]
    [TestCase("using Qmp.Schema.Model;", "Qmp.Schema")]
    [TestCase("// see Qmp.Server", "")]
    [TestCase("[assembly: InternalsVisibleTo(\"Qmp.Server\")]", "")]
    public void TheCheckItselfFindsNamespaces(string line, string expected) =>
        Assert.That(string.Join(',', NamespacesIn(line)), Is.EqualTo(expected));

    /// <summary>Block knows of QMP the generated option types and its errors, nothing of messages and monitors.</summary>
    [Test]
    public void BlockKnowsNothingOfQmpMessages()
    {
        IEnumerable<string> wrong = SourceFiles.Under("src/Qmp.Block", ".cs")
            .SelectMany(path => SourceFiles.Lines(path).Select(line => (path, line)))
            .Where(found => found.line.StartsWith("using StreamJsonRpc", StringComparison.Ordinal)
                || found.line.StartsWith("using Qmp.Protocol.Wire", StringComparison.Ordinal))
            .Select(found => $"{found.path}: {found.line}");
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void TheSolutionHasEveryProject()
    {
        string solution = File.ReadAllText(Repository.PathOf("Qmp.sln")).Replace('\\', '/');
        IEnumerable<string> missing = SourceFiles.All.Where(path => path.EndsWith(".csproj", StringComparison.Ordinal))
            .Where(path => !solution.Contains(path, StringComparison.Ordinal));
        Assert.That(missing, Is.Empty);
    }

    [GeneratedRegex(@"\bQmp\.[A-Z]\w*(\.Generator\b)?")]
    private static partial Regex Namespace();

    [GeneratedRegex("\"(?:[^\"\\\\]|\\\\.)*\"")]
    private static partial Regex Text();

    private static IEnumerable<string> NamespacesIn(string line)
    {
        string code = Text().Replace(line, "\"\"");
        int comment = code.IndexOf("//", StringComparison.Ordinal);
        return Namespace().Matches(comment < 0 ? code : code[..comment]).Select(match => match.Value);
    }
}
