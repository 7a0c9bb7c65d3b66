using System.Text;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Wire;

namespace Qmp.Protocol.Tests.Wire;

/// <summary>The framer: what each kind of garbage costs, with the texts of the real daemon. Any bytes however they are split: see tests/Fuzz.</summary>
[TestFixture]
[Parallelizable(ParallelScope.All)]
public sealed class FramerTests
{
    [TestCase("{\"execute\": \"\\x\"}", "1:13: JSON parse error, invalid escape sequence in string")]
    [TestCase("{\"execute\": \"\\u12\"}", "1:13: JSON parse error, \\u12\" is not a valid Unicode character")]
    [TestCase("{\"a\": 1, \"a\": 2}", "1:15: JSON parse error, duplicate key")]
    [TestCase("{\"a\":1,\"a\":[1,]}", "1:15: JSON parse error, expecting value")]
    [TestCase("}", "1:1: JSON parse error, expecting value")]
    [TestCase("[1,,2]", "1:4: JSON parse error, expecting value")]
    [TestCase("{\"a\" 1}", "1:6: JSON parse error, missing : in object pair")]
    [TestCase("{1:2}", "1:2: JSON parse error, key is not a string in object")]
    [TestCase("{[1]:2}", "1:5: JSON parse error, key is not a string in object")]
    [TestCase("{:1}", "1:2: JSON parse error, expecting value")]
    [TestCase("{\"a\":1 \"b\":2}", "1:8: JSON parse error, expected separator in dict")]
    [TestCase("[1 2]", "1:4: JSON parse error, expected separator in list")]
    [TestCase("foo ", "1:1: JSON parse error, invalid keyword 'foo'")]
    [TestCase("\n\n@", "3:1: JSON parse error, stray '@'")]
    [TestCase("-\n", "1:1: JSON parse error, stray '-\n'")]
    [TestCase("01", "1:1: JSON parse error, stray '01'")]
    [TestCase("\"a\tb", "1:1: JSON parse error, stray '\"a\t'")]
    [TestCase("\"\\ud834x\"", "1:1: JSON parse error, \\ud834 is not a valid Unicode character")]
    [TestCase("\"\\uffff\"", "1:1: JSON parse error, \\uffff is not a valid Unicode character")]
    [TestCase("\"\ufdd0\"", "1:1: JSON parse error, invalid UTF-8 sequence in string")]
    public void GarbageHasQemusTexts(string input, string error) =>
        Assert.That(Read(Encoding.UTF8.GetBytes(input)), Is.EqualTo(new[] { error }));

    [TestCase(new byte[] { 0xff }, "stray '\ufffd'")]
    [TestCase(new byte[] { (byte)'"', 0xe4, 0xb8, 0xff }, "stray '\"\ufffd\ufffd'")]
    [TestCase(new byte[] { (byte)'"', 0xc0, 0xaf, 1 }, "stray '\"\ufffd\u0001'")]
    [TestCase(new byte[] { (byte)'"', 0xc3, (byte)'"' }, "invalid UTF-8 sequence in string")]
    [TestCase(new byte[] { 0 }, "stray ''")]
    public void BytesThatAreNoTextHaveQemusTexts(byte[] input, string error) =>
        Assert.That(Read(input), Is.EqualTo(new[] { "1:1: JSON parse error, " + error }));

    [TestCase("@\n{}")]
    [TestCase("{\"exec\u0001{}")]
    [TestCase("@ abc \" {}")]
    [TestCase("\"x\n{}")]
    public void AfterGarbageABracketStartsAfresh(string input) =>
        Assert.That(Read(Encoding.UTF8.GetBytes(input))[^1], Is.EqualTo("{}"));

    [Test]
    public void AValueEndsWhereItsBracketsAreBalancedWhateverIsWrongInside() =>
        Assert.That(Read("{\"a\" 1 2 [3,] }{}"u8.ToArray()), Is.EqualTo(new[] { "1:6: JSON parse error, missing : in object pair", "{}" }));

    [Test]
    public void SingleQuotesEscapesAndNumbersAreAccepted() =>
        Assert.That(
            Read("{'a': 'it\\'s \"', \"b\": [1e5, -0, 1E+5, 18446744073709551615, 0.1, \"\\ud834\\udd1e\\/\"]}"u8.ToArray()),
            Is.EqualTo(new[] { "{\"b\": [100000, 0, 100000, 18446744073709551615, 0.10000000000000001, \"\\uD834\\uDD1E/\"], \"a\": \"it's \\\"\"}" })
                .Or.EqualTo(new[] { "{\"a\": \"it's \\\"\", \"b\": [100000, 0, 100000, 18446744073709551615, 0.10000000000000001, \"\\uD834\\uDD1E/\"]}" }));

    [TestCase(1024, "[]")]
    [TestCase(1025, "JSON nesting depth limit exceeded")]
    public void NestingIsLimited(int depth, string expected)
    {
        var results = Read(Encoding.ASCII.GetBytes(new string('[', depth) + new string(']', depth)));
        Assert.That(results[0], Is.EqualTo(expected == "[]" ? new string('[', depth) + new string(']', depth) : expected));
    }

    [Test]
    public void OneTokenCannotTakeAllMemory()
    {
        var reader = new JsonMessageReader();
        var documents = new QapiDocumentPool();
        var chunk = new byte[1 << 20];
        chunk.AsSpan().Fill((byte)'x');
        Assert.That(reader.TryRead("\""u8, out _, documents, out _, out _), Is.False);
        for (var i = 0; i < 66; i++)
        {
            Assert.That(reader.TryRead(chunk, out _, documents, out _, out _), Is.False);
        }

        Assert.That(reader.TryRead("\""u8, out _, documents, out _, out var error), Is.True);
        Assert.That(error, Is.EqualTo("JSON token size limit exceeded"));
        Assert.That(reader.TryRead("{}"u8, out _, documents, out _, out error), Is.True);
        Assert.That(error, Is.Null);
    }

    [Test]
    public void ManyTokensAreLimited()
    {
        var reader = new JsonMessageReader();
        var documents = new QapiDocumentPool();
        var chunk = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("1,", 1 << 19)));
        string? error = null;
        Assert.That(reader.TryRead("["u8, out _, documents, out _, out _), Is.False);
        for (var i = 0; i < 3 && error == null; i++)
        {
            _ = reader.TryRead(chunk, out _, documents, out _, out error);
        }

        Assert.That(error, Is.EqualTo("JSON token count limit exceeded"));
    }

    [Test]
    public void ALargeMessageInSmallPiecesCostsLinearTime()
    {
        // Bytes visited per byte would grow with the message if the framer began again with each piece.
        var message = new byte[4 << 20];
        message.AsSpan().Fill((byte)'x');
        message[0] = (byte)'"';
        message[^1] = (byte)'"';
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.That(Read(message, _ => 64), Has.Count.EqualTo(1));
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(30)));
    }

    private static List<string> Read(byte[] bytes, Func<int, int>? sizes = null)
    {
        var reader = new JsonMessageReader();
        var documents = new QapiDocumentPool();
        var results = new List<string>();
        var at = 0;
        for (var piece = 0; at < bytes.Length; piece++)
        {
            // A copy, so that nothing can look at what lies before or behind.
            var rest = bytes.AsSpan(at, Math.Min(sizes?.Invoke(piece) ?? bytes.Length, bytes.Length - at)).ToArray().AsSpan();
            at += rest.Length;
            while (reader.TryRead(rest, out var used, documents, out var document, out var error))
            {
                rest = rest[used..];
                if (document == null)
                {
                    results.Add(error!);
                    continue;
                }

                var writer = new QapiWriter();
                writer.Value(document);
                results.Add(Encoding.UTF8.GetString(writer.WrittenSpan));
                documents.Return(document);
            }
        }

        return results;
    }
}
