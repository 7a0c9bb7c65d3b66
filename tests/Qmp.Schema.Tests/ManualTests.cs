using System.Text.RegularExpressions;
using Qmp.Schema.Manual;
using Qmp.Testing;

namespace Qmp.Schema.Tests;

/// <summary>The reference manual, of the product's schema and of small ones.</summary>
public partial class ManualTests
{
    private const string Small = """
        { 'pragma': { 'conditions': { 'LATER': 'it comes later' } } }
        ##
        # = Small <things>
        #
        # About them.
        ##

        ##
        # == A section
        ##

        ##
        # @Color:
        #
        # A color, see @paint.
        #
        # @red: red
        # @blue: .blue & co
        ##
        { 'enum': 'Color', 'data': [ 'red', { 'name': 'blue', 'if': 'LATER' } ] }

        ##
        # @paint:
        #
        # Paint it.
        #
        # @color: the color
        #
        # Features:
        # @unstable: may change
        #
        # Returns: what it was
        #
        # Since: 1.2
        #
        # Example:
        #     setup: truncate -s 1M a.img
        #     arg: --blockdev driver=null-co,node-name=n
        #     -> {"execute": "paint",
        #         "arguments": {"color": "red"}}
        #     <- {"return": {...}}
        ##
        { 'command': 'paint', 'data': { '*color': [ 'Color' ] }, 'returns': 'Shape', 'features': [ 'unstable' ] }

        ##
        # @Shape:
        # @size: bytes
        ##
        { 'struct': 'Shape', 'data': { 'size': 'int' } }

        ##
        # @wash:
        # Wash it.
        #
        # Example:
        #     -> {"execute": "wash"}
        ##
        { 'command': 'wash', 'if': 'LATER' }
        """;

    private static readonly ReferenceManual product = Load(
        Path.Combine(TestContext.CurrentContext.TestDirectory, "schema/qapi-schema.json"), path => File.Exists(path) ? File.ReadAllText(path) : null);

    [Test]
    public void HtmlHasEveryDefinitionAndLeadsToIt()
    {
        var html = product.Html();
        var anchors = Anchor().Matches(html).Select(match => match.Groups[1].Value).ToList();
        var whole = TestSchema.WholeProduct();
        Assert.Multiple(() =>
        {
            Assert.That(anchors, Is.Unique);
            Assert.That(whole.InOrder.Concat<Model.SchemaEntity>(whole.Types.Where(type => type.Module.Length > 0)).Select(e => e.Name), Is.SubsetOf(anchors));
            Assert.That(Link().Matches(html).Select(match => match.Groups[1].Value).Distinct(), Is.SubsetOf(anchors), "a link leads nowhere");
            Assert.That(html, Does.Not.Contain("src=").And.Not.Contain("http://").And.Not.Contain("https://"), "one file, with nothing to load");
        });
    }

    [Test]
    public void HtmlTagsCloseInOrder()
    {
        string[] alone = ["meta", "input"];
        var open = new Stack<string>();
        foreach (Match match in Tag().Matches(Script().Replace(product.Html(), "")))
        {
            var name = match.Groups[2].Value;
            if (match.Groups[1].Length > 0)
            {
                Assert.That(open.Pop(), Is.EqualTo(name), $"near character {match.Index}");
            }
            else if (!alone.Contains(name))
            {
                open.Push(name);
            }
        }

        Assert.That(open, Is.Empty);
    }

    [TestCase("<h2>Small &lt;things&gt;</h2>")]
    [TestCase("<h3>A section</h3>")]
    [TestCase("<p>About them.</p>")]
    [TestCase("<p>A color, see <a href=\"#paint\"><code>paint</code></a>.</p>")]
    [TestCase("<dt><code>blue</code> <span class=\"badge off\">not yet</span></dt>\n<dd>.blue &amp; co</dd>")]
    [TestCase("<dt><code>color</code> <span class=\"type\">[<a href=\"#Color\"><code>Color</code></a>], optional</span></dt>\n<dd>the color</dd>")]
    [TestCase("<p><b>Returns</b> <a href=\"#Shape\"><code>Shape</code></a>: what it was</p>")]
    [TestCase("<p><b>Feature</b> <code>unstable</code>: may change</p>")]
    [TestCase("<p><b>Since</b> 1.2</p>")]
    [TestCase("<p class=\"reason\">Not available: it comes later.</p>")]
    [TestCase("<p>1 of 2 commands work.</p>")]
    [TestCase("    &quot;arguments&quot;: {&quot;color&quot;: &quot;red&quot;}}\n")]
    public void HtmlSays(string text) => Assert.That(LoadSmall().Html(), Does.Contain(text));

    [TestCase("\\fBpaint\\fP (command; unstable)\nPaint it.\n")]
    [TestCase("\\fBblue\\fP (not yet)\n\\&.blue & co\n")]
    [TestCase("\\fBcolor\\fP ([\\fIColor\\fP], optional)\nthe color\n")]
    [TestCase("returns \\fIShape\\fP\nwhat it was\n")]
    [TestCase("\\fBwash\\fP (command; not yet: it comes later)\nWash it.\n")]
    public void ManPageSays(string text) => Assert.That(LoadSmall().ManPage("2026-01-31"), Does.Contain(text));

    [Test]
    public async Task ManPageIsWellFormed()
    {
        using var folder = new WorkFolder();
        var path = folder.File("qmp-ref.7");
        await File.WriteAllTextAsync(path, product.ManPage("2026-01-31"));
        var lint = await Shell.RunAsync("mandoc -T lint -W warning qmp-ref.7; groff -man -ww -z -Kutf8 qmp-ref.7", folder.Path);
        var shown = await Shell.RunAsync("man -l qmp-ref.7 | col -b", folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That(lint.Output.Trim(), Is.Empty);
            Assert.That(shown.ExitStatus, Is.Zero);
            Assert.That(shown.Output, Does.Contain("blockdev-add (command)").And.Contain("BLOCK_EXPORT_DELETED (event)"));
        });
    }

    [Test]
    public void AnExampleBecomesASession()
    {
        var examples = LoadSmall().Examples();
        Assert.Multiple(() =>
        {
            Assert.That(examples.Keys, Is.EqualTo(new[] { "paint" }), "of what works");
            Assert.That(examples["paint"], Is.EqualTo("""
                # title: example of paint
                # setup: truncate -s 1M a.img
                # arg: --blockdev
                # arg: driver=null-co,node-name=n

                <- {"QMP": $ANY}
                -> {"execute": "qmp_capabilities"}
                <- {"return": {}}
                -> {"execute": "paint", "arguments": {"color": "red"}}
                <- {"return": {$ANY}}

                """));
        });
    }

    [Test]
    public void AMalformedSchemaIsRefusedWithItsPlace() => Assert.That(
        () => Load("s.json", _ => "\n{ 'enum': 'E' }"), Throws.TypeOf<FormatException>().With.Message.EqualTo("s.json:2: enum needs 'data'"));

    [GeneratedRegex(" id=\"([^\"]+)\"")]
    private static partial Regex Anchor();

    [GeneratedRegex(" href=\"#([^\"]+)\"")]
    private static partial Regex Link();

    [GeneratedRegex("<(/?)([a-z0-9]+)[^>]*>")]
    private static partial Regex Tag();

    [GeneratedRegex("<script>.*</script>|<style>.*</style>|<!DOCTYPE html>", RegexOptions.Singleline)]
    private static partial Regex Script();

    private static ReferenceManual LoadSmall() => Load("s.json", _ => Small);

    private static ReferenceManual Load(string path, Func<string, string?> readFile) => ReferenceManual.Load(path, readFile);
}
