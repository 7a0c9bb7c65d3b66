using System.Text;
using System.Text.Json;
using Qmp.Protocol.Qapi;

namespace Fuzz;

/// <summary>The framer: lexer, grammar and message reader of the monitor and of the client.</summary>
internal sealed class JsonTarget : FuzzTarget
{
    private const int Nesting = 1024;

    // What QEMU refuses although the standard has it.
    private static readonly string[] OurErrors =
    [
        "duplicate key", "is not a valid Unicode character", "invalid UTF-8 sequence in string", "JSON nesting depth limit exceeded",
        "invalid keyword 'e'", "stray 'E'", "expected separator", // 0e1, 0E1
    ];

    public override string Name => "json";

    public override string Description => "framing and JSON, against System.Text.Json and against itself in pieces";

    public override IReadOnlyList<byte[]> Seeds { get; } = [.. Corpus.Lines("->"), .. Corpus.Lines("<-"), .. Corpus.Lines("=>")];

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. Corpus.Bytes(
            "{", "}", "[", "]", ":", ",", "\"a\"", "'c'", "1", "-0", "01", "1.5", "1e3", "0e1", "-", "true", "null", "foo", " ", "\n", "\t", "\"", "'",
            "\\", "\u0001", "é", "\\u00e9", "\\u12", "\\u0000", "\\ud800", "@", "T", "{\"a\":", "\"\\x\"", ".", "e", "+", "{\"a\":1}", "[1,2]", "\0",
            "\"\\ud834\\udd1e\"", "18446744073709551615", "-9223372036854775808", "1e999", "0.1", "%d", "//", "/**/", "\ufeff", "\uffff"),
        [0xff], [0xfe], [0xc3], [0xc0, 0x80], [(byte)'"', 0xed, 0xa0, 0x80, (byte)'"'],
    ];

    public override byte[] Generate(Random random)
    {
        var text = new StringBuilder();
        for (var i = random.Next(4); i >= 0; i--)
        {
            Value(text, random, 0);
            text.Append(random.Pick(["", " ", "\r\n"]));
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    public override void Check(byte[] input, Random random)
    {
        var whole = JsonStream.Read(input);
        var text = JsonStream.Print(whole);
        Same("bytes one by one give something else", text, JsonStream.Print(JsonStream.Read(input, () => 1)));
        Same("bytes in pieces give something else", text, JsonStream.Print(JsonStream.Read(input, () => random.Next(1, 9))));
        Holds(whole.All(result => result.Error != ""), "an error without a text");
        Same("what came before FE and FF is not forgotten", "{}", JsonStream.Read([.. input, 0xff, (byte)'\n', (byte)'{', (byte)'}'])[^1].Value ?? "an error");
        foreach (var (value, _) in whole)
        {
            if (value is not null)
            {
                // Twice, because members of one bucket of QEMU's hash table come out in the opposite order.
                Same("what is printed is read as something else", value, Again(Again(value)));
                Holds(Standard(JsonStream.Finite(value)) is not null, "what is printed is not standard JSON");
            }
        }

        if (Standard(input) is { } standard)
        {
            var ours = JsonStream.Read([.. input, (byte)'\n']);
            Holds(ours.Count > 0, "standard JSON is not seen");
            if (ours is [{ Value: { } read }])
            {
                Same("System.Text.Json reads something else", standard, read);
            }
            else
            {
                var error = ours.FirstOrDefault(result => result.Error is not null).Error ?? "as several values";
                Holds(OurErrors.Any(error.Contains), $"standard JSON is refused\n  {error}");
            }
        }
    }

    // Read and printed once more. A number at the top ends where something else begins.
    private static string Again(string printed) => JsonStream.Print(JsonStream.Read([.. JsonStream.Finite(printed), (byte)'\n']));

    // The value as the standard reads it, printed the same way; null where it does not.
    private static string? Standard(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = Nesting });
            var writer = new QapiWriter();
            writer.Value(document.RootElement);
            return Encoding.UTF8.GetString(writer.WrittenSpan);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null; // also for half a surrogate pair
        }
    }

    private static void Value(StringBuilder text, Random random, int depth)
    {
        switch (random.Next(depth > 5 ? 6 : 9))
        {
            case 0:
                text.Append(random.Next(3) switch { 0 => "null", 1 => "true", _ => "false" });
                break;
            case 1:
                text.Append(random.Next(2) == 0 ? random.Next(-3, 3) : random.NextInt64(long.MinValue, long.MaxValue));
                break;
            case 2:
                text.Append(BitConverter.Int64BitsToDouble(random.NextInt64()) is var value && double.IsFinite(value)
                    ? value.ToString(System.Globalization.CultureInfo.InvariantCulture).Replace('E', 'e') : "1.25e-3");
                break;
            case < 6:
                String(text, random);
                break;
            case 6:
                text.Append('[');
                for (int i = 0, count = random.Next(5); i < count; i++)
                {
                    text.Append(i > 0 ? random.Pick([",", ", ", "\n,"]) : "");
                    Value(text, random, depth + 1);
                }

                text.Append(']');
                break;
            default:
                text.Append('{');
                for (int i = 0, count = random.Next(random.Next(20) == 0 ? 40 : 5); i < count; i++)
                {
                    text.Append(i > 0 ? random.Pick([",", ", ", "\t,\r\n"]) : "");
                    String(text, random);
                    text.Append(random.Pick([":", " : "]));
                    Value(text, random, depth + 1);
                }

                text.Append('}');
                break;
        }
    }

    private static void String(StringBuilder text, Random random)
    {
        var quote = random.Pick(["\"", "\"", "\"", "'"]);
        text.Append(quote);
        for (var i = random.Next(8); i > 0; i--)
        {
            text.Append(random.Next(12) switch
            {
                0 => "\\" + random.Pick(["n", "t", "r", "b", "f", "/", "\\", "\"", "'"]),
                1 => $"\\u{random.Next(0x10000):x4}",
                2 => $"\\u{random.Next(0xd800, 0xdc00):X4}\\u{random.Next(0xdc00, 0xe000):x4}",
                3 => char.ConvertFromUtf32(random.Next(0xe000, 0x110000)),
                4 => ((char)random.Next(0x80, 0xd800)).ToString(),
                5 => quote == "'" ? "\"" : "'",
                _ => ((char)random.Next('a', 'f')).ToString(),
            });
        }

        text.Append(quote);
    }
}
