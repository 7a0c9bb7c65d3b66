using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;

namespace Qmp.Schema.Tests;

/// <summary>Arguments as deep as they can come. Any arguments at all: see tests/Fuzz.</summary>
public class HostileArgumentsTests
{
    private const int QemuNesting = 1024;

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
}
