using System.Text;
using CsCheck;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;

namespace Qmp.Schema.Tests;

/// <summary>Whatever a client sends as arguments: the product's readers accept or refuse it, and nothing else happens.</summary>
public class HostileArgumentsTests
{
    private const int QemuNesting = 1024;

    private static readonly string[] Names =
    [
        "driver", "node-name", "file", "filename", "cache", "direct", "size", "offset", "type", "data", "actions", "properties", "id", "qom-type",
        "addr", "path", "options", "nodes", "x", "", "\0", "iothread", "bitmaps", "target",
    ];

    private static readonly string[] Texts =
    [
        "raw", "file", "null-co", "vhost-user-blk", "unix", "fd", "abort", "block-dirty-bitmap-add", "iothread", "on", "", "x", "grouped", "1",
    ];

    private static readonly Gen<Action<QapiDocument>> Values = Gen.Recursive<Action<QapiDocument>>((depth, inner) => Gen.Frequency(
        (3, Gen.Int[0, Texts.Length - 1].Select(i => (Action<QapiDocument>)(d => d.String(Texts[i])))),
        (1, Gen.Long.Select(n => (Action<QapiDocument>)(d => d.Number(n)))),
        (1, Gen.Double.Select(n => (Action<QapiDocument>)(d => d.Number(n)))),
        (1, Gen.Bool.Select(b => (Action<QapiDocument>)(d => d.Bool(b)))),
        (1, Gen.Const((Action<QapiDocument>)(d => d.Null()))),
        (depth > 5 ? 0 : 5, Gen.Select(Gen.Int[0, Names.Length - 1], inner).Array[0, 6].Select(members => (Action<QapiDocument>)(d =>
        {
            d.BeginObject();
            foreach (var (name, value) in members.DistinctBy(m => m.Item1))
            {
                d.Name(Encoding.UTF8.GetBytes(Names[name]));
                value(d);
            }

            d.End();
        }))),
        (depth > 5 ? 0 : 2, inner.Array[0, 3].Select(items => (Action<QapiDocument>)(d =>
        {
            d.BeginList();
            foreach (var item in items)
            {
                item(d);
            }

            d.End();
        })))));

    [Test]
    public void AnyTreeIsAcceptedOrRefused() => Gen.Select(Values, Gen.Bool).Sample((build, isKeyval) =>
    {
        foreach (var read in new Action<QapiDocument>[]
        {
            d => Read(d, (ref QapiReader r) => BlockdevOptions.Read(ref r)),
            d => Read(d, (ref QapiReader r) => ObjectOptions.Read(ref r)),
            d => Read(d, (ref QapiReader r) => BlockExportOptions.Read(ref r)),
            d => Read(d, (ref QapiReader r) => TransactionArguments.Read(ref r)),
            d => Read(d, (ref QapiReader r) => QomSetArguments.Read(ref r)),
        })
        {
            var document = new QapiDocument(isKeyval);
            build(document);
            read(document);
        }
    }, iter: 5_000);

    [TestCase(8 << 20, "read")]
    [TestCase(256 << 10, "Parameters are nested too deeply")]
    public void TheDeepestTreeFitsOnAStackOrIsRefused(int stackSize, string expected)
    {
        // As deep as the lexer lets it come: a node whose file is a node whose file is a node ...
        var document = new QapiDocument();
        for (var i = 0; i < QemuNesting; i++)
        {
            document.BeginObject();
            document.Name("driver"u8);
            document.String("raw");
            document.Name("file"u8);
        }

        document.String("f");
        for (var i = 0; i < QemuNesting; i++)
        {
            document.End();
        }

        var outcome = "";
        var thread = new Thread(() => outcome = Outcome(document), stackSize);
        thread.Start();
        thread.Join();
        Assert.That(outcome, Is.EqualTo(expected));

        static string Outcome(QapiDocument document)
        {
            try
            {
                var reader = new QapiReader(document);
                BlockdevOptions.Read(ref reader).Write(new QapiWriter());
                return "read";
            }
            catch (QmpException refused)
            {
                return refused.Message;
            }
        }
    }

    private static void Read<T>(QapiDocument document, QapiItemReader<T> read)
        where T : IQapiWritable
    {
        try
        {
            var reader = new QapiReader(document);
            read(ref reader).Write(new QapiWriter());
        }
        catch (QmpException)
        {
            // refused
        }
    }
}
