using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Schema.Tests.Generated;

namespace Qmp.Schema.Tests;

/// <summary>Generated readers: strict, in the schema's order, with QEMU's texts.</summary>
public class GeneratedReaderTests
{
    private delegate T Read<out T>(ref QapiReader reader);

    [TestCase("{}", "Parameter 'tree' is missing")]
    [TestCase("""{"tree": 1}""", "Invalid parameter type for 'tree', expected: object")]
    [TestCase("""{"tree": {"kind": "leaf"}}""", "Parameter 'tree.value' is missing")]
    [TestCase("""{"tree": {"value": 1}}""", "Parameter 'tree.kind' is missing")]
    [TestCase("""{"tree": {"kind": 1}}""", "Invalid parameter type for 'tree.kind', expected: string")]
    [TestCase("""{"tree": {"kind": "nope"}}""", "Parameter 'kind' does not accept value 'nope'")]
    [TestCase("""{"tree": {"kind": "gone"}}""", "Parameter 'kind' does not accept value 'gone'")]
    [TestCase("""{"tree": {"kind": "leaf", "value": "1"}}""", "Invalid parameter type for 'tree.value', expected: integer")]
    [TestCase("""{"tree": {"kind": "leaf", "value": 1.0}}""", "Invalid parameter type for 'tree.value', expected: integer")]
    [TestCase("""{"tree": {"kind": "leaf", "value": 9223372036854775808}}""", "Invalid parameter type for 'tree.value', expected: integer")]
    [TestCase("""{"tree": {"kind": "leaf", "value": 1, "parts": 1}}""", "Invalid parameter type for 'tree.parts', expected: array")]
    [TestCase("""{"tree": {"kind": "leaf", "value": 1, "parts": [{"value": 1}, 2]}}""", "Invalid parameter type for 'tree.parts[1]', expected: object")]
    [TestCase("""{"tree": {"kind": "leaf", "value": 1, "parts": [{"value": 1}, {"value": null}]}}""", "Invalid parameter type for 'tree.parts[1].value', expected: integer")]
    [TestCase("""{"tree": {"kind": "leaf", "value": 1, "parts": [{"value": 1, "parts": [{}]}]}}""", "Parameter 'tree.parts[0].parts[0].value' is missing")]
    [TestCase("""{"tree": {"kind": "leaf", "value": 1, "radius": 2}}""", "Parameter 'tree.radius' is unexpected")]
    [TestCase("""{"tree": {"kind": "leaf", "value": 1}, "more": 2}""", "Parameter 'more' is unexpected")]
    [TestCase("""{"tree": {"kind": "none", "value": 1}}""", "Parameter 'tree.value' is unexpected")]
    [TestCase("""{"tree": {"kind": "leaf", "value": 1, "note": null}}""", "Invalid parameter type for 'tree.note', expected: string")]
    [TestCase("""{"tree": {"kind": "node", "shape": "round", "radius": 256}}""", "Parameter 'radius' expects uint8_t")]
    [TestCase("""{"tree": {"kind": "node", "shape": "round", "radius": -1}}""", "Parameter 'radius' expects uint8_t")]
    [TestCase("""{"tree": {"kind": "node", "shape": "square", "width": 1, "rounded": "on"}}""", "Invalid parameter type for 'tree.rounded', expected: boolean")]
    [TestCase("""{"tree": {"kind": "none"}, "ref": 1}""", "Invalid parameter type for 'ref', expected: Ref")]
    [TestCase("""{"tree": {"kind": "none"}, "ref": ["a", 1]}""", "Invalid parameter type for 'ref[1]', expected: string")]
    [TestCase("""{"tree": {"kind": "none"}, "ref": {"kind": "none", "x": 1}}""", "Parameter 'ref.x' is unexpected")]
    [TestCase("""{"tree": {"kind": "none"}, "choice": "1"}""", "Invalid parameter type for 'choice', expected: Choice")]
    [TestCase("""{"tree": {"kind": "none"}, "choice": 1.5}""", "Invalid parameter type for 'choice', expected: integer")]
    [TestCase("""{"tree": {"kind": "none"}, "numbers": {"i8": 128}}""", "Parameter 'i8' expects int8_t")]
    [TestCase("""{"tree": {"kind": "none"}, "numbers": {"i16": -32769}}""", "Parameter 'i16' expects int16_t")]
    [TestCase("""{"tree": {"kind": "none"}, "numbers": {"i32": 2147483648}}""", "Parameter 'i32' expects int32_t")]
    [TestCase("""{"tree": {"kind": "none"}, "numbers": {"u16": 65536}}""", "Parameter 'u16' expects uint16_t")]
    [TestCase("""{"tree": {"kind": "none"}, "numbers": {"u32": 4294967296}}""", "Parameter 'u32' expects uint32_t")]
    [TestCase("""{"tree": {"kind": "none"}, "numbers": {"u64": 18446744073709551616}}""", "Parameter 'numbers.u64' expects uint64")]
    [TestCase("""{"tree": {"kind": "none"}, "numbers": {"u64": "1"}}""", "Parameter 'numbers.u64' expects uint64")]
    [TestCase("""{"tree": {"kind": "none"}, "numbers": {"s": 1.5}}""", "Parameter 'numbers.s' expects uint64")]
    [TestCase("""{"tree": {"kind": "none"}, "numbers": {"n": "1"}}""", "Invalid parameter type for 'numbers.n', expected: number")]
    [TestCase("""{"tree": {"kind": "none"}, "numbers": {"b": 0}}""", "Invalid parameter type for 'numbers.b', expected: boolean")]
    public void JsonIsReadStrictly(string json, string text) =>
        Assert.That(Error(TestDocument.FromJson(json), (ref QapiReader reader) => EchoArguments.Read(ref reader)), Is.EqualTo(text));

    [Test]
    public void TheFirstErrorIsThatOfTheFirstMemberInTheSchema() => Assert.That(
        Error(TestDocument.FromJson("""{"x": 1, "ref": 1, "tree": {"note": 1}}"""), (ref QapiReader reader) => EchoArguments.Read(ref reader)),
        Is.EqualTo("Parameter 'tree.kind' is missing"));

    [Test]
    public void NumbersReachTheirEnds()
    {
        var numbers = Value("""
            {"i": -9223372036854775808, "i8": -128, "i16": -32768, "i32": -2147483648, "i64": 9223372036854775807,
             "u8": 255, "u16": 65535, "u32": 4294967295, "u64": 18446744073709551615, "s": -1, "n": 1, "b": true}
            """, (ref QapiReader reader) => Numbers.Read(ref reader));
        Assert.Multiple(() =>
        {
            Assert.That(numbers.I, Is.EqualTo(long.MinValue));
            Assert.That(numbers.I8, Is.EqualTo(sbyte.MinValue));
            Assert.That(numbers.I16, Is.EqualTo(short.MinValue));
            Assert.That(numbers.I32, Is.EqualTo(int.MinValue));
            Assert.That(numbers.I64, Is.EqualTo(long.MaxValue));
            Assert.That(numbers.U8, Is.EqualTo(byte.MaxValue));
            Assert.That(numbers.U16, Is.EqualTo(ushort.MaxValue));
            Assert.That(numbers.U32, Is.EqualTo(uint.MaxValue));
            Assert.That(numbers.U64, Is.EqualTo(ulong.MaxValue));
            Assert.That(numbers.S, Is.EqualTo(ulong.MaxValue), "negative sizes wrap, as in QEMU");
            Assert.That(numbers.N, Is.EqualTo(1.0));
            Assert.That(numbers.B, Is.True);
        });
    }

    [Test]
    public void UnionsWithinUnionsAndAlternates()
    {
        var arguments = Value("""
            {"ref": {"kind": "2d", "width": 5}, "choice": false, "tree": {"shape": "square", "width": 7, "rounded": true, "kind": "node", "note": "n"}}
            """, (ref QapiReader reader) => EchoArguments.Read(ref reader));
        Assert.Multiple(() =>
        {
            Assert.That(arguments.Tree.Kind, Is.EqualTo(Kind1.Node));
            Assert.That(arguments.Tree.Note, Is.EqualTo("n"));
            Assert.That(arguments.Tree.Node!.Square!.Width, Is.EqualTo(7));
            Assert.That(arguments.Tree.Node.Square.Rounded, Is.True);
            Assert.That(arguments.Tree.Leaf, Is.Null);
            Assert.That(arguments.Ref!.Definition!._2d!.Width, Is.EqualTo(5));
            Assert.That(arguments.Choice!.Flag, Is.False);
            Assert.That(Value("null", (ref QapiReader reader) => Ref.Read(ref reader)).Nothing, Is.Not.Null);
            Assert.That(Value("""["a", "b"]""", (ref QapiReader reader) => Ref.Read(ref reader)).Many, Is.EqualTo(new[] { "a", "b" }));
            Assert.That(Value("\"x\"", (ref QapiReader reader) => Ref.Read(ref reader)).Reference, Is.EqualTo("x"));
        });
    }

    [TestCase("value=x", "Parameter 'value' expects integer")]
    [TestCase("value=1k", "Parameter 'value' expects integer")]
    [TestCase("value=", "Parameter 'value' expects integer")]
    [TestCase("value.x=1", "Parameters 'value.*' are unexpected")]
    [TestCase("value=1,parts=2", "Invalid parameter type for 'parts', expected: array")]
    [TestCase("value=1,parts.0.value=x", "Parameter 'parts.0.value' expects integer")]
    [TestCase("value=1,parts.0.value=1,parts.1.x=1", "Parameter 'parts.1.value' is missing")]
    [TestCase("value=1,foo=2", "Parameter 'foo' is unexpected")]
    [TestCase("value=1,foo.bar=2", "Parameter 'foo' is unexpected")]
    public void TextOfTheCommandLineIsConvertedStrictly(string keyval, string text) =>
        Assert.That(Error(TestDocument.FromKeyval(keyval), (ref QapiReader reader) => Leaf.Read(ref reader)), Is.EqualTo(text));

    [TestCase("b=1", "Parameter 'b' expects 'on' or 'off'")]
    [TestCase("u16=70000", "Parameter 'u16' expects uint16_t")]
    [TestCase("u16=x", "Parameter 'u16' expects integer")]
    [TestCase("s=x", "Parameter 's' expects size")]
    [TestCase("s=1.5", "Parameter 's' expects size")]
    [TestCase("s=16E", "Parameter 's' expects size")]
    [TestCase("n=x", "Invalid parameter type for 'n', expected: number")]
    [TestCase("s=.", "Parameter 's' expects size")]
    [TestCase("s=-1", "Parameter 's' expects size")]
    [TestCase("s=0x2k", "Parameter 's' expects size")]
    [TestCase("s=1kk", "Parameter 's' expects size")]
    [TestCase("s=5 ", "Parameter 's' expects size")]
    [TestCase("s=18446744073709551616", "Parameter 's' expects size")]
    [TestCase("b=On", "Parameter 'b' expects 'on' or 'off'")]
    [TestCase("i=0x", "Parameter 'i' expects integer")]
    [TestCase("i=08", "Parameter 'i' expects integer")]
    [TestCase("i=9223372036854775808", "Parameter 'i' expects integer")]
    public void NumbersOfTheCommandLineAreChecked(string keyval, string text) =>
        Assert.That(Error(TestDocument.FromKeyval(keyval), (ref QapiReader reader) => Numbers.Read(ref reader)), Is.EqualTo(text));

    [TestCase("i=0x10,s=4k,b=on,n=1.5,u64=-1", 16, 4096UL, true, 1.5)]
    [TestCase("i= -010,s=1.5M,b=yes,n=2e3,u64=-1", -8, 1572864UL, true, 2000)]
    [TestCase("i=+7,s=0x200,b=false,n=-1,u64=-1", 7, 512UL, false, -1)]
    [TestCase("i= 5,s=.5k,b=true,n=.5,u64=0xffffffffffffffff", 5, 512UL, true, 0.5)]
    [TestCase("i=0,s=1.k,b=off,n=0,u64=18446744073709551615", 0, 1024UL, false, 0)]
    [TestCase("i=0,s=15E,b=no,n=0,u64=-1", 0, 15UL << 60, false, 0)]
    [TestCase("i=0,s=7b,b=n,n=0,u64=-1", 0, 7UL, false, 0)]
    public void NumbersOfTheCommandLineAreConverted(string keyval, long i, ulong s, bool b, double n)
    {
        var reader = new QapiReader(TestDocument.FromKeyval(keyval));
        var numbers = Numbers.Read(ref reader);
        Assert.That((numbers.I, numbers.S, numbers.B, numbers.N, numbers.U64), Is.EqualTo(((long?)i, (ulong?)s, (bool?)b, (double?)n, (ulong?)ulong.MaxValue)));
    }

    [Test]
    public void AlternatesOfTheCommandLine()
    {
        var reader = new QapiReader(TestDocument.FromKeyval("tree.kind=none,ref.kind=leaf,ref.value=3,choice=on"));
        var arguments = EchoArguments.Read(ref reader);
        Assert.Multiple(() =>
        {
            Assert.That(arguments.Ref!.Definition!.Leaf!.Value, Is.EqualTo(3));
            Assert.That(arguments.Choice!.Flag, Is.True);
        });
    }

    [Test]
    public void AnyValueIsIndependentOfItsDocument()
    {
        var document = TestDocument.FromJson("""{"class": "c", "Odd": "o", "event": {"a": [1, -0.5, "\u00e9\u0000", null, 18446744073709551615, 1e400]}}""");
        var reader = new QapiReader(document);
        var odd = Odd.Read(ref reader);
        document.Reset();
        Assert.That(odd.Event!.Value.GetRawText(), Is.EqualTo("""{"a": [1, -0.5, "\u00E9\u0000", null, 18446744073709551615, 1e999]}"""));
    }

    private static string Error<T>(QapiDocument document, Read<T> read)
    {
        try
        {
            var reader = new QapiReader(document);
            read(ref reader);
            return "no error";
        }
        catch (QmpException e)
        {
            Assert.That(e.ErrorClass, Is.EqualTo(ErrorClass.GenericError));
            return e.Message;
        }
    }

    private static T Value<T>(string json, Read<T> read)
    {
        var reader = new QapiReader(TestDocument.FromJson(json));
        return read(ref reader);
    }
}
