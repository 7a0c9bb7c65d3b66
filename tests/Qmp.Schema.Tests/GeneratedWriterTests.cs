using System.Text;
using System.Text.Json;
using CsCheck;
using Qmp.Protocol.Qapi;
using Qmp.Schema.Tests.Generated;

namespace Qmp.Schema.Tests;

/// <summary>Generated writers: QEMU's order of members, and what is written reads back as it was.</summary>
public class GeneratedWriterTests
{
    private static readonly Gen<string> Text = Gen.String;

    private static readonly Gen<Leaf> Leaves = Gen.Recursive<Leaf>((depth, leaf) =>
        from value in Gen.Long
        from parts in depth > 2 ? Gen.Const((Leaf[]?)null) : leaf.Array[0, 3].Null()
        select new Leaf { Value = value, Parts = parts });

    private static readonly Gen<Tree> Trees =
        from kind in Gen.Enum<Kind1>()
        from note in Text.Null()
        from leaf in Leaves
        from shape in Gen.Enum<Shape>()
        from radius in Gen.Byte
        from width in Gen.ULong
        from rounded in Gen.Bool.Nullable()
        select new Tree
        {
            Kind = kind,
            Note = note,
            Leaf = kind == Kind1.Leaf ? leaf : null,
            _2d = kind == Kind1._2d ? new Square { Width = width, Rounded = rounded } : null,
            Node = kind != Kind1.Node ? null : new Inner
            {
                Shape = shape,
                Round = shape == Shape.Round ? new Round { Radius = radius } : null,
                Square = shape == Shape.Square ? new Square { Width = width, Rounded = rounded } : null,
            },
        };

    [Test]
    public void WhatIsWrittenReadsBack() => Trees.Sample(tree =>
    {
        var json = Json(tree);
        var reader = new QapiReader(TestDocument.FromJson(json));
        return Json(Tree.Read(ref reader)) == json;
    });

    [Test]
    public void MembersStandInTheOrderOfTheirBuckets() => Trees.Sample(tree =>
    {
        using var json = JsonDocument.Parse(Json(tree));
        return InOrder(json.RootElement);

        static bool InOrder(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Object => element.EnumerateObject().Select(m => QapiNameOrder.Bucket(Encoding.UTF8.GetBytes(m.Name))).ToList() is var buckets
                && buckets.SequenceEqual(buckets.Order()) && element.EnumerateObject().All(m => InOrder(m.Value)),
            JsonValueKind.Array => element.EnumerateArray().All(InOrder),
            _ => true,
        };
    });

    [Test]
    public void NumbersOfEveryWidth()
    {
        var numbers = new Numbers
        {
            I = -1,
            I8 = sbyte.MinValue,
            I16 = short.MinValue,
            I32 = int.MinValue,
            I64 = long.MinValue,
            U8 = byte.MaxValue,
            U16 = ushort.MaxValue,
            U32 = uint.MaxValue,
            U64 = ulong.MaxValue,
            S = 1,
            N = 0.1,
            B = false,
        };
        var members = JsonDocument.Parse(Json(numbers)).RootElement.EnumerateObject().ToDictionary(m => m.Name, m => m.Value.GetRawText());
        Assert.That(members, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["i"] = "-1",
            ["i8"] = "-128",
            ["i16"] = "-32768",
            ["i32"] = "-2147483648",
            ["i64"] = "-9223372036854775808",
            ["u8"] = "255",
            ["u16"] = "65535",
            ["u32"] = "4294967295",
            ["u64"] = "18446744073709551615",
            ["s"] = "1",
            ["n"] = "0.10000000000000001",
            ["b"] = "false",
        }));
    }

    [Test]
    public void OddNamesAndFreeFormMembers()
    {
        var odd = new Odd { Class = "c", OddValue = "o", UnderScore = null, Event = JsonDocument.Parse("""{"b": 1, "a": [true, null, "\u00e9"]}""").RootElement, X2nd = ["x"] };
        Assert.That(Json(odd), Is.EqualTo("""{"class": "c", "x-2nd": ["x"], "Odd": "o", "event": {"a": [true, null, "\u00E9"], "b": 1}}"""));
    }

    [Test]
    public void AlternatesWriteTheBranchThatIsSet() => Assert.Multiple(() =>
    {
        Assert.That(Json(new Ref { Reference = "r" }), Is.EqualTo("\"r\""));
        Assert.That(Json(new Ref { Nothing = default(QapiNull) }), Is.EqualTo("null"));
        Assert.That(Json(new Ref { Many = ["a", "b"] }), Is.EqualTo("""["a", "b"]"""));
        Assert.That(Json(new Ref { Definition = new Tree { Kind = Kind1.None } }), Is.EqualTo("""{"kind": "none"}"""));
        Assert.That(Json(new Choice { Count = 0 }), Is.EqualTo("0"));
        Assert.That(() => Json(new Ref()), Throws.InvalidOperationException);
    });

    [Test]
    public void AUnionNeedsTheBranchThatItsDiscriminatorNames() =>
        Assert.That(() => Json(new Tree { Kind = Kind1.Leaf }), Throws.InvalidOperationException.With.Message.EqualTo("Leaf is not set"));

    [Test]
    public void NamesOfEnumerations() => Assert.Multiple(() =>
    {
        Assert.That(Kind1._2d.ToWireName(), Is.EqualTo("2d"));
        Assert.That(Kind1Names.TryParse("old", out var value) ? value : default, Is.EqualTo(Kind1.Old));
        Assert.That(Kind1Names.TryParse("Old", out _), Is.False);
        Assert.That(Kind1Names.TryParse("gone", out _), Is.False, "its condition does not hold");
    });

    private static string Json(IQapiWritable value)
    {
        var writer = new QapiWriter();
        value.Write(writer);
        return Encoding.ASCII.GetString(writer.WrittenSpan);
    }
}
