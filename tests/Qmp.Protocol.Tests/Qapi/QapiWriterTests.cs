using System.Text;
using System.Text.Json;
using Qmp.Protocol.Qapi;

namespace Qmp.Protocol.Tests.Qapi;

/// <summary>JSON as QEMU prints it; the expected texts are those of the real daemon.</summary>
public class QapiWriterTests
{
    [TestCase("\u0001\b\f\n\r\t\u001f\u007f", "\"\\u0001\\b\\f\\n\\r\\t\\u001F\\u007F\"")]
    [TestCase("a\"\\/b", "\"a\\\"\\\\/b\"")]
    [TestCase("\u00e9\U0001F600\u2028", "\"\\u00E9\\uD83D\\uDE00\\u2028\"")]
    [TestCase("", "\"\"")]
    public void StringsAreAscii(string value, string json) => Assert.That(Written(w => w.Value(value)), Is.EqualTo(json));

    [Test]
    public void LongStringsAndBrokenUtf8() => Assert.Multiple(() =>
    {
        Assert.That(Written(w => w.Value(new string('x', 100_000) + "\n")), Is.EqualTo("\"" + new string('x', 100_000) + "\\n\""));
        Assert.That(Written(w => w.Value("x" + (char)0xd83d + "y")), Is.EqualTo("\"x\\uFFFDy\""));
        Assert.That(Written(w => w.Value((ReadOnlySpan<byte>)[0x61, 0xff, 0xc3, 0x62])), Is.EqualTo("\"a\\uFFFD\\uFFFDb\""));
    });

    [TestCase(1000.0, "1000")]
    [TestCase(1.5, "1.5")]
    [TestCase(0.1, "0.10000000000000001")]
    [TestCase(-0.0, "-0")]
    [TestCase(1e22, "1e+22")]
    [TestCase(123456789012345678901.0, "1.2345678901234568e+20")]
    [TestCase(1e-7, "9.9999999999999995e-08")]
    [TestCase(100000000000000000000000.0, "9.9999999999999992e+22")]
    [TestCase(3.141592653589793, "3.1415926535897931")]
    [TestCase(123456789.125, "123456789.125")]
    [TestCase(1e16, "10000000000000000")]
    [TestCase(1e17, "1e+17")]
    [TestCase(0.0001, "0.0001")]
    [TestCase(0.00001, "1.0000000000000001e-05")]
    [TestCase(5e-324, "4.9406564584124654e-324")]
    [TestCase(double.MaxValue, "1.7976931348623157e+308")]
    [TestCase(double.PositiveInfinity, "inf")]
    [TestCase(12345678901234567.0, "12345678901234568")]
    public void FloatsHaveSeventeenDigits(double value, string json) => Assert.That(Written(w => w.Value(value)), Is.EqualTo(json));

    [Test]
    public void SeparatorsStandBetweenElements() => Assert.That(Written(Sample), Is.EqualTo("""{"d": [[], [1, {"x": null}]], "a": [], "b": true, "c": {}}"""));

    [Test]
    public void PrettyOutputHasALinePerElement() => Assert.That(Written(Sample, pretty: true), Is.EqualTo("""
        {
            "d": [
                [
                ],
                [
                    1,
                    {
                        "x": null
                    }
                ]
            ],
            "a": [
            ],
            "b": true,
            "c": {
            }
        }
        """.ReplaceLineEndings("\r\n")));

    [Test]
    public void JsonTextIsIndentedToo()
    {
        var json = Encoding.ASCII.GetBytes(Written(Sample));
        Assert.Multiple(() =>
        {
            Assert.That(Written(w => w.Json(json), pretty: true), Is.EqualTo(Written(Sample, pretty: true)));
            Assert.That(Written(w => w.Json(json)), Is.EqualTo(Written(Sample)));
        });
    }

    [Test]
    public void FreeFormMembersAreSorted()
    {
        const string Json = """{"b": 1, "a": [], "c": {"y": 18446744073709551615, "x": -1.5}, "d": [[], [1, {"x": null}]]}""";
        const string Sorted = """{"d": [[], [1, {"x": null}]], "a": [], "b": 1, "c": {"x": -1.5, "y": 18446744073709551615}}""";
        Assert.That(Written(w => w.Value(JsonDocument.Parse(Json).RootElement)), Is.EqualTo(Sorted));
    }

    [Test]
    public void ItCanBeReused()
    {
        var writer = new QapiWriter();
        for (var i = 0; i < 2; i++)
        {
            writer.Reset();
            Sample(writer);
            writer.Raw("\r\n"u8);
            Assert.That(Encoding.ASCII.GetString(writer.WrittenSpan), Does.StartWith("{").And.EndWith("}\r\n"));
        }
    }

    [Test]
    public void AReusedWriterAllocatesNothing()
    {
        var writer = new QapiWriter();
        Run(10);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(100);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Run(int count)
        {
            for (var i = 0; i < count; i++)
            {
                writer.Reset();
                Sample(writer);
                writer.Value("text with \u00e9");
            }
        }
    }

    private static void Sample(QapiWriter writer)
    {
        writer.BeginObject();
        writer.Name("d"u8);
        writer.BeginList();
        writer.BeginList();
        writer.EndList();
        writer.BeginList();
        writer.Value(1L);
        writer.BeginObject();
        writer.Name("x"u8);
        writer.Null();
        writer.EndObject();
        writer.EndList();
        writer.EndList();
        writer.Name("a"u8);
        writer.BeginList();
        writer.EndList();
        writer.Name("b"u8);
        writer.Value(true);
        writer.Name("c"u8);
        writer.BeginObject();
        writer.EndObject();
        writer.EndObject();
    }

    private static string Written(Action<QapiWriter> write, bool pretty = false)
    {
        var writer = new QapiWriter(pretty);
        write(writer);
        return Encoding.UTF8.GetString(writer.WrittenSpan);
    }
}
