using System.Text;
using CsCheck;
using Qmp.Schema.Manual;

namespace Qmp.Schema.Tests;

/// <summary>Whatever stands in a file: the parser ends, with a schema or with an error that has a line.</summary>
public class RobustnessTests
{
    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ":", ",", "'", "\n", "#", "##\n", "# @E:\n", "# @a: x\n", " ", "true", "false", "'enum'", "'struct'", "'union'",
        "'alternate'", "'command'", "'event'", "'data'", "'base'", "'discriminator'", "'returns'", "'boxed'", "'if'", "'features'", "'gen'",
        "'include'", "'pragma'", "'s.json'", "'E'", "'S'", "'U'", "'*a'", "'a'", "'b'", "'int'", "'str'", "'type'", "'name'", "'all'", "'not'",
        "'conditions'", "'X'", "{ 'pragma': { 'conditions': { 'X': 'later' } } }\n", "# = T\n", "# Example:\n", "#     -> {}\n", "# Features:\n", "# .x\n",
        "{ 'enum': 'E', 'data': [ 'a' ] }\n", "{ 'struct': 'S', 'data': { 'e': 'E' } }\n", "'data': {", "\\", "\0", "\u00e9",
    ];

    [Test]
    public void AnyBytes() => Gen.Byte.Array[0, 200].Sample(bytes => Survives(Encoding.Latin1.GetString(bytes)), iter: 5_000);

    [Test]
    public void AnySequenceOfTokens() =>
        Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i]).Array[0, 60].Sample(pieces => Survives(string.Concat(pieces)), iter: 20_000);

    [Test]
    public void AnyEditOfAGoodSchema()
    {
        var good = File.ReadAllText(Path.Combine(TestContext.CurrentContext.TestDirectory, "schema/transaction.json"));
        (from at in Gen.Int[0, good.Length - 1]
         from length in Gen.Int[0, 10]
         from insert in Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i])
         select good.Remove(at, Math.Min(length, good.Length - at)).Insert(at, insert)).Sample(Survives, iter: 2_000);
    }

    /// <summary>What the parser takes, the manual can show.</summary>
    [Test]
    public void AnyManual() =>
        Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i]).Array[0, 40].Sample(pieces => Shows(string.Concat(pieces)), iter: 5_000);

    [TestCase("##\n# @E:\n# Example:\n##\n{ 'enum': 'E', 'data': [] }")]
    [TestCase("##\n# @E:\n# Example: here\n#   and there\n##\n{ 'enum': 'E', 'data': [] }")]
    [TestCase("##\n##\n##\n# ==\n##\n##\n# @E:\n# .TH\n#\n# '\\(\n##\n{ 'enum': 'E', 'data': [] }")]
    public void OddManual(string text) => Assert.That(Shows(text), Is.True);

    private static bool Shows(string text)
    {
        try
        {
            var manual = ReferenceManual.Load("s.json", path => path == "s.json" ? text : null);
            _ = manual.Examples();
            return manual.Html().Length > 0 && manual.ManPage("2026-01-31").Length > 0;
        }
        catch (FormatException e)
        {
            return e.Message.StartsWith("s.json:", StringComparison.Ordinal);
        }
    }

    private static bool Survives(string text)
    {
        try
        {
            _ = TestSchema.Build(text);
            return true;
        }
        catch (SchemaException e)
        {
            return e.Location.Line >= 0 && e.Message.Contains(": ", StringComparison.Ordinal);
        }
    }
}
