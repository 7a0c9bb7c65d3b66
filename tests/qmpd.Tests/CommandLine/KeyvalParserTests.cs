using System.Text;
using CsCheck;
using Qmp.Daemon.CommandLine;
using Qmp.Protocol.Qapi;

namespace Qmp.Daemon.Tests.CommandLine;

/// <summary>The key=value syntax. Texts and results are those of the real daemon.</summary>
public class KeyvalParserTests
{
    [TestCase("", "{}")]
    [TestCase("null-co,node-name=a,", """{"driver": "null-co", "node-name": "a"}""")]
    [TestCase("driver=null-co,,node-name=a", """{"driver": "null-co,node-name=a"}""")]
    [TestCase("null-co,node-name=a,,", """{"driver": "null-co", "node-name": "a,"}""")]
    [TestCase("null-co,node-name=a,,,", """{"driver": "null-co", "node-name": "a,"}""")]
    [TestCase("driver=raw,driver=null-co,driver=foo", """{"driver": "foo"}""")]
    [TestCase("a.b", """{"driver": "a.b"}""")]
    [TestCase("0,a=1", """{"driver": "0", "a": "1"}""")]
    [TestCase("a==1", """{"a": "=1"}""")]
    [TestCase("raw,file.driver=file,file.filename=x", """{"file": {"filename": "x", "driver": "file"}, "driver": "raw"}""")]
    [TestCase("quorum,children.1=y,children.0=x", """{"children": ["x", "y"], "driver": "quorum"}""")]
    [TestCase("a.00=1", """{"a": ["1"]}""")]
    [TestCase("__com.redhat_x.y=1", """{"__com.redhat_x": {"y": "1"}}""")]
    [TestCase("help=1", """{"help": "1"}""")]
    public void Reads(string text, string expected) => Assert.That(Print(KeyvalParser.Parse(text, "driver", out _)), Is.EqualTo(Canonical(expected)));

    [TestCase(",", "Invalid parameter ''")]
    [TestCase("=x", "Invalid parameter ''")]
    [TestCase(",a=1", "Invalid parameter ''")]
    [TestCase("null-co,,x=1", "Invalid parameter ''")]
    [TestCase("null-co,,", "Invalid parameter ''")]
    [TestCase("a,b", "Expected '=' after parameter 'b'")]
    [TestCase("help,a", "Expected '=' after parameter 'a'")]
    [TestCase("raw,file.", "Invalid parameter 'file.'")]
    [TestCase("null-co,x..y=1", "Invalid parameter 'x..y'")]
    [TestCase("null-co,.x=1", "Invalid parameter '.x'")]
    [TestCase("null-co,0=on", "Invalid parameter '0'")]
    [TestCase("null-co,a.1x=1", "Invalid parameter 'a.1x'")]
    [TestCase("null-co,a.-1=1", "Invalid parameter 'a.-1'")]
    [TestCase("null-co,_a=1", "Invalid parameter '_a'")]
    [TestCase("null-co,__com=1", "Invalid parameter '__com'")]
    [TestCase("null-co,é=1", "Invalid parameter 'é'")]
    [TestCase("null-co,a b=1", "Invalid parameter 'a b'")]
    [TestCase("null-co,cache.direct=on,cache=5", "Parameters 'cache.*' used inconsistently")]
    [TestCase("null-co,cache=5,cache.direct=on", "Parameters 'cache.*' used inconsistently")]
    [TestCase("null-co,cache.0=on,cache.x=1", "Parameters 'cache.*' used inconsistently")]
    [TestCase("null-co,a.b=1,a.b.c=1", "Parameters 'a.b.*' used inconsistently")]
    [TestCase("null-co,a.0.0=1,a.0.b=1", "Parameters 'a.0.*' used inconsistently")]
    [TestCase("null-co,x.1=on", "Parameter 'x.0' missing")]
    [TestCase("null-co,a.99999999999=1", "Parameter 'a.0' missing")]
    [TestCase("quorum,children.0=x,children.2=y", "Parameter 'children.1' missing")]
    public void Refuses(string text, string error) =>
        Assert.That(() => KeyvalParser.Parse(text, "driver", out _), Throws.InstanceOf<OptionException>().With.Message.EqualTo(error));

    [Test]
    public void RefusesLongParts()
    {
        var longest = new string('k', KeyvalParser.MaxFragmentLength);
        Assert.That(Print(KeyvalParser.Parse(longest + "=1", null, out _)), Does.Contain(longest));
        Assert.That(
            () => KeyvalParser.Parse(longest + "k=1", null, out _),
            Throws.InstanceOf<OptionException>().With.Message.EqualTo($"Parameter '{longest}k' is too long"));
    }

    [TestCase("help", true)]
    [TestCase("?,driver=x", true)]
    [TestCase("null-co,help", true)]
    [TestCase("null-co,?", true)]
    [TestCase("help=1", false)]
    [TestCase("x.help=1", false)]
    public void SeesTheCallForHelp(string text, bool expected)
    {
        KeyvalParser.Parse(text, "driver", out var helpWanted);
        Assert.That(helpWanted, Is.EqualTo(expected));
    }

    // Whatever a tree holds, its text gives it back: commas, equals signs and dots in values included.
    [Test]
    public void RoundTrips()
    {
        var name = Gen.Char["abcxyz"].Array[1, 4].Select(c => new string(c));
        var value = Gen.Char["ab,=. \"{é"].Array[0, 8].Select(c => new string(c));
        Gen.Recursive<Tree>((depth, tree) => depth > 3
            ? value.Select(v => new Tree(v))
            : Gen.OneOf(
                value.Select(v => new Tree(v)),
                Gen.Select(name, tree).Array[1, 4].Select(m => new Tree(m.DistinctBy(p => p.Item1).Select(p => (p.Item1, p.Item2)).ToArray(), false)),
                tree.Array[1, 4].Select(items => new Tree([.. items.Select((t, i) => (i.ToString(), t))], true))))
            .Where(t => t.Members is not null && !t.IsList)
            .Sample(tree => Print(KeyvalParser.Parse(string.Join(',', tree.Lines(string.Empty)), null, out _)) == Canonical(tree.Json()));
    }

    private static string Print(QapiDocument document)
    {
        var writer = new QapiWriter();
        writer.Value(document);
        return Encoding.UTF8.GetString(writer.WrittenSpan);
    }

    private static string Canonical(string json)
    {
        var writer = new QapiWriter();
        writer.Value(System.Text.Json.JsonElement.Parse(json));
        return Encoding.UTF8.GetString(writer.WrittenSpan);
    }

    private sealed class Tree
    {
        private readonly string? _value;

        public Tree(string value) => _value = value;

        public Tree((string Key, Tree Value)[] members, bool isList)
        {
            Members = members;
            IsList = isList;
        }

        public (string Key, Tree Value)[]? Members { get; }

        public bool IsList { get; }

        public IEnumerable<string> Lines(string path) => Members is null
            ? [path + "=" + _value!.Replace(",", ",,", StringComparison.Ordinal)]
            : Members.SelectMany(m => m.Value.Lines(path.Length == 0 ? m.Key : path + "." + m.Key));

        public string Json() => Members is null
            ? "\"" + System.Text.Json.JsonEncodedText.Encode(_value!) + "\""
            : IsList
                ? "[" + string.Join(',', Members.Select(m => m.Value.Json())) + "]"
                : "{" + string.Join(',', Members.Select(m => $"\"{m.Key}\":{m.Value.Json()}")) + "}";

        public override string ToString() => string.Join(',', Lines(string.Empty));
    }
}
