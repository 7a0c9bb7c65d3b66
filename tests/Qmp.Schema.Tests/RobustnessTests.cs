using System.Text;
using CsCheck;

namespace Qmp.Schema.Tests;

/// <summary>Whatever stands in a file: the parser ends, with a schema or with an error that has a line.</summary>
public class RobustnessTests
{
    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ":", ",", "'", "\n", "#", "##\n", "# @E:\n", "# @a: x\n", " ", "true", "false", "'enum'", "'struct'", "'union'",
        "'alternate'", "'command'", "'event'", "'data'", "'base'", "'discriminator'", "'returns'", "'boxed'", "'if'", "'features'", "'gen'",
        "'include'", "'pragma'", "'s.json'", "'E'", "'S'", "'U'", "'*a'", "'a'", "'b'", "'int'", "'str'", "'type'", "'name'", "'all'", "'not'",
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
