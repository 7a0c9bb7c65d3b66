using System.Diagnostics;
using System.Text;
using Qmp.Protocol.Qapi;

namespace Qmp.Protocol.Tests.Qapi;

/// <summary>The flat tree between lexer and readers.</summary>
public class QapiDocumentTests
{
    [TestCase(1)]
    [TestCase(16)]
    [TestCase(17)]
    [TestCase(18)]
    [TestCase(1000)]
    public void DuplicateNamesAreFound(int members)
    {
        for (var duplicate = 0; duplicate < members; duplicate += 1 + (members / 7))
        {
            var document = new QapiDocument();
            document.BeginObject();
            for (var i = 0; i < members; i++)
            {
                Assert.That(document.Name(Encoding.ASCII.GetBytes("n" + i)), Is.True);
                document.BeginObject(); // the same name may stand in another object
                document.Name(Encoding.ASCII.GetBytes("n" + i));
                document.Null();
                document.End();
            }

            Assert.That(document.Name(Encoding.ASCII.GetBytes("n" + duplicate)), Is.False);
        }
    }

    [Test]
    public void ManyMembersCostLinearTime()
    {
        var clock = Stopwatch.StartNew();
        var document = new QapiDocument();
        document.BeginObject();
        for (var i = 0; i < 300_000; i++)
        {
            document.Name(Encoding.ASCII.GetBytes("n" + i));
            document.Number(i);
        }

        document.End();
        Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(20)), "quadratic time would take minutes");
    }

    [TestCase("9223372036854775807", QapiKind.Integer)]
    [TestCase("-9223372036854775808", QapiKind.Integer)]
    [TestCase("-0", QapiKind.Integer)]
    [TestCase("9223372036854775808", QapiKind.Unsigned)]
    [TestCase("18446744073709551615", QapiKind.Unsigned)]
    [TestCase("18446744073709551616", QapiKind.Float)]
    [TestCase("-9223372036854775809", QapiKind.Float)]
    [TestCase("1.0", QapiKind.Float)]
    [TestCase("1e3", QapiKind.Float)]
    [TestCase("1e400", QapiKind.Float)]
    public void NumbersAreSortedByRange(string token, QapiKind kind)
    {
        var document = new QapiDocument();
        document.Number(Encoding.ASCII.GetBytes(token));
        Assert.That(document.RootKind, Is.EqualTo(kind));
    }

    [Test]
    public void ItIsCompleteWhenItsRootIs()
    {
        var document = new QapiDocument();
        Assert.That(document.IsComplete, Is.False);
        document.BeginList();
        document.BeginObject();
        document.End();
        Assert.That(document.IsComplete, Is.False);
        document.End();
        Assert.That(document.IsComplete, Is.True);
        document.Reset();
        Assert.That((document.IsComplete, document.Count), Is.EqualTo((false, 0)));
    }

    [Test]
    public void AfterResetNothingOfThePastIsSeen()
    {
        var document = new QapiDocument();
        for (var round = 0; round < 3; round++)
        {
            document.Reset();
            document.BeginObject();
            for (var i = 0; i < 40; i++)
            {
                Assert.That(document.Name(Encoding.ASCII.GetBytes("n" + i)), Is.True);
                document.Number(i);
            }

            document.End();
            var reader = new QapiReader(document);
            reader.BeginObject();
            Assert.That(Read(ref reader), Is.EqualTo(39));
        }

        static long Read(ref QapiReader reader) => reader.Member("n39"u8).ReadInt64();
    }

    [Test]
    public void UnexpectedMembersOfTheEmptyObject()
    {
        var reader = new QapiReader(QapiDocument.EmptyObject);
        reader.EndObject(reader.BeginObject());
        Assert.That(QapiDocument.EmptyObject.IsComplete);
    }
}
