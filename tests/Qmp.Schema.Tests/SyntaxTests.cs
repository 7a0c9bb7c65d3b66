namespace Qmp.Schema.Tests;

/// <summary>What is wrong with the text of a file, and where.</summary>
public class SyntaxTests
{
    [TestCase("{", "s.json:1: expected a string, found the end of the file")]
    [TestCase("\n\n[ ]", "s.json:3: expected '{', found '['")]
    [TestCase("{ 'enum': 'E', 'data': [ 'a' 'b' ] }", "s.json:1: expected ',' or ']', found the string 'b'")]
    [TestCase("{ 'enum': 'E',\n  'data': [ 'a', ] }", "s.json:2: expected a string, a truth value, '[' or '{', found ']'")]
    [TestCase("{ 'enum' 'E' }", "s.json:1: expected ':', found the string 'E'")]
    [TestCase("{ 'enum': 'E'\n'data': [] }", "s.json:2: expected ',' or '}', found the string 'data'")]
    [TestCase("{ 'enum': 'E', 'enum': 'F' }", "s.json:1: duplicate key 'enum'")]
    [TestCase("{ \"enum\": 'E' }", "s.json:1: stray '\"'")]
    [TestCase("{ 'a': 1 }", "s.json:1: stray '1'")]
    [TestCase("{ 'a': null }", "s.json:1: stray 'n'")]
    [TestCase("{ 'a': trueish }", "s.json:1: stray 't'")]
    [TestCase("\u00a0", "s.json:1: stray character U+00A0")]
    [TestCase("{ 'a", "s.json:1: the closing ' of a string is missing")]
    [TestCase("{ 'a\n' }", "s.json:1: a string ends with its line: the closing ' is missing")]
    [TestCase("{ 'a\\n' }", "s.json:1: '\\' in a string: only printable ASCII without '\\' may stand there")]
    [TestCase("{ 'ä' }", "s.json:1: character U+00E4 in a string: only printable ASCII without '\\' may stand there")]
    [TestCase("##\n# text\n", "s.json:1: the documentation block does not end: a line '##' is missing")]
    [TestCase("##\n# text\n{ }", "s.json:3: a line of a documentation block starts with '#', and the block ends with a line '##'")]
    [TestCase("##\n#text\n##", "s.json:2: a space is missing after '#'")]
    [TestCase("##\n# text\n## more", "s.json:3: text after '##': a documentation block ends with a line that is just '##'")]
    [TestCase("## text", "s.json:1: text after '##': a documentation block starts with a line that is just '##'")]
    [TestCase("##\n# @E:\n##\n", "s.json:1: the documentation of 'E' is not followed by its definition")]
    [TestCase("##\n# @E:\n##\n##\n# @F:\n##\n{ 'enum': 'F', 'data': [] }", "s.json:1: the documentation of 'E' is not followed by its definition")]
    [TestCase("##\n# @E:\n##\n{ 'pragma': { } }", "s.json:1: the documentation of 'E' is not followed by its definition")]
    [TestCase("##\n# @E: text\n##\n", "s.json:2: the first line of a definition's documentation is '@Name:'")]
    public void MalformedTextIsAnErrorWithItsLine(string text, string message)
    {
        var error = Assert.Throws<SchemaException>(() => TestSchema.Build(text));
        Assert.That(error.Message, Is.EqualTo(message));
    }

    [Test]
    public void BracketsWithinEachOtherAreBounded()
    {
        var text = "{ 'a': " + new string('[', 100_000);
        var error = Assert.Throws<SchemaException>(() => TestSchema.Build(text));
        Assert.That(error.Problem, Is.EqualTo($"more than {SchemaLimits.Nesting} brackets within each other"));
    }

    [Test]
    public void AFileIsBoundedInLength()
    {
        var error = Assert.Throws<SchemaException>(() => TestSchema.Build(new string('\n', SchemaLimits.FileLength + 1)));
        Assert.That(error.Problem, Does.StartWith("the file is longer than"));
    }

    [Test]
    public void CommentsAndFreeTextAreSkipped()
    {
        var model = TestSchema.Build("# one\n########\n\t\r\n##\n# = Title\n#\n# text\n##\n{ 'enum': 'E', # behind\n 'data': [] }\n##\n##\n");
        Assert.That(model.Types.Select(type => type.Name), Contains.Item("E"));
    }

    [Test]
    public void AnIncludedFileIsReadOnceAndItsLinesAreItsOwn()
    {
        var files = new Dictionary<string, string>
        {
            ["s.json"] = "{ 'include': 'sub/a.json' }\n{ 'include': 'sub/../sub/./a.json' }\n{ 'include': 'sub/b.json' }",
            ["sub/a.json"] = "{ 'enum': 'A', 'data': [] }",
            ["sub/b.json"] = "{ 'include': 'a.json' }\n\n{ 'struct': 'B', 'data': { 'a': 'Nowhere' } }",
        };
        var error = Assert.Throws<SchemaException>(() => TestSchema.BuildFiles(files));
        Assert.That(error.Message, Is.EqualTo("sub/b.json:3: unknown type 'Nowhere'"));
    }

    [TestCase("{ 'include': 'x.json' }", "s.json:1: cannot read x.json")]
    [TestCase("{ 'include': '/x.json' }", "s.json:1: 'include' takes a relative path")]
    [TestCase("{ 'include': [ 'x.json' ] }", "s.json:1: 'include' takes a relative path")]
    [TestCase("{ 'include': 'x.json', 'if': 'A' }", "s.json:1: 'include' stands alone in its object")]
    [TestCase("\n{ 'include': './s.json' }", "s.json:2: inclusion loop for s.json")]
    [TestCase("{ 'pragma': [] }", "s.json:1: 'pragma' takes an object")]
    [TestCase("{ 'pragma': { 'x': true } }", "s.json:1: unknown pragma 'x'")]
    [TestCase("{ 'pragma': { 'doc-required': 'yes' } }", "s.json:1: pragma 'doc-required' takes true or false")]
    [TestCase("{ 'pragma': { 'member-name-exceptions': [ true ] } }", "s.json:1: pragma 'member-name-exceptions' takes a list of strings")]
    public void DirectivesAreChecked(string text, string message)
    {
        var error = Assert.Throws<SchemaException>(() => TestSchema.Build(text));
        Assert.That(error.Message, Is.EqualTo(message));
    }

    [Test]
    public void IncludesWithinEachOtherAreBounded()
    {
        var files = Enumerable.Range(0, 100).ToDictionary(i => i == 0 ? "s.json" : $"{i}.json", i => $"{{ 'include': '{i + 1}.json' }}");
        var error = Assert.Throws<SchemaException>(() => TestSchema.BuildFiles(files));
        Assert.That(error.Problem, Does.StartWith($"more than {SchemaLimits.IncludeDepth} includes within each other"));
    }
}
