using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
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

    private static GeneratorDriverRunResult Run(params TestText[] files) => CSharpGeneratorDriver
        .Create([new SchemaGenerator().AsSourceGenerator()], files)
        .RunGenerators(CSharpCompilation.Create("test"))
        .GetRunResult();

    private sealed class TestText(string path, string text) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
    }
}
