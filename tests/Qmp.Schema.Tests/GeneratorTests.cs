using System.Diagnostics.CodeAnalysis;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;
using Qmp.Schema.Generator;

namespace Qmp.Schema.Tests;

/// <summary>The generator inside the compiler.</summary>
public class GeneratorTests
{
    [Test]
    public void AnErrorIsReportedWhereItIs()
    {
        var result = Run(new TestText("/x/y/../qapi-schema.json", "{ 'include': 'a.json' }"), new TestText("/x/a.json", "\n\n{ 'struct': 'S', 'data': { 'm': 'Nope' } }"));
        var diagnostic = result.Diagnostics.Single();
        Assert.Multiple(() =>
        {
            Assert.That(diagnostic.Id, Is.EqualTo("QAPI001"));
            Assert.That(diagnostic.GetMessage(), Is.EqualTo("unknown type 'Nope'"));
            Assert.That(diagnostic.Location.GetLineSpan().Path, Is.EqualTo("/x/a.json"));
            Assert.That(diagnostic.Location.GetLineSpan().StartLinePosition.Line, Is.EqualTo(2));
            Assert.That(result.GeneratedTrees, Is.Empty);
        });
    }

    [Test]
    public void WithoutAnEntryFileNothingIsMade() =>
        Assert.That(Run(new TestText("/x/other.json", "{ 'enum': 'E', 'data': [] }")).GeneratedTrees, Is.Empty);

    [Test]
    public void TheSameSchemaGivesTheSameCode()
    {
        TestText[] files = [new("/x/qapi-schema.json", "{ 'struct': 'S', 'data': { 'm': [ 'str' ] } }\n{ 'command': 'c', 'data': 'S' }")];
        var first = Text(Run(files));
        Assert.That(Text(Run(files)), Is.EqualTo(first).And.Contains("class S "));

        static string Text(GeneratorDriverRunResult result) => string.Concat(result.GeneratedTrees.Select(tree => tree.FilePath + "\n" + tree));
    }

    /// <summary>What is still to come becomes code that compiles, as soon as its conditions are removed.</summary>
    [Test]
    public void TheWholeSchemaCompiles()
    {
        var folder = Path.Combine(TestContext.CurrentContext.TestDirectory, "schema");
        var files = Directory.GetFiles(folder, "*.json").Select(path => new TestText(path, File.ReadAllText(path)));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("Qmp.Schema", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path));
        var settings = new TestSettings(new() { ["QapiDefines"] = string.Join(';', TestSchema.Product().Conditions.Keys), ["QapiNamespace"] = "Whole" });
        CSharpGeneratorDriver.Create([new SchemaGenerator().AsSourceGenerator()], files, optionsProvider: settings)
            .RunGeneratorsAndUpdateCompilation(
                CSharpCompilation.Create("test", [CSharpSyntaxTree.ParseText("global using System;")], references, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)),
                out var compilation, out var problems);
        Assert.Multiple(() =>
        {
            Assert.That(problems, Is.Empty);
            Assert.That(compilation.GetTypeByMetadataName("Whole.BlockdevOptionsQcow2"), Is.Not.Null);
            Assert.That(compilation.GetDiagnostics().Where(problem => problem.Severity == DiagnosticSeverity.Error), Is.Empty);
        });
    }

    private static GeneratorDriverRunResult Run(params TestText[] files) => CSharpGeneratorDriver
        .Create([new SchemaGenerator().AsSourceGenerator()], files)
        .RunGenerators(CSharpCompilation.Create("test"))
        .GetRunResult();

    private sealed class TestSettings(Dictionary<string, string> properties) : AnalyzerConfigOptionsProvider
    {
        public override AnalyzerConfigOptions GlobalOptions { get; } = new Options(properties);

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => GlobalOptions;

        private sealed class Options(Dictionary<string, string> properties) : AnalyzerConfigOptions
        {
            public override bool TryGetValue(string key, [NotNullWhen(true)] out string? value) =>
                properties.TryGetValue(key.Replace("build_property.", "", StringComparison.Ordinal), out value);
        }
    }

    private sealed class TestText(string path, string text) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
    }
}
