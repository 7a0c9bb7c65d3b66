using Qmp.Schema.Manual;

namespace Qmp.Schema.Tests;

/// <summary>What the parser takes, the manual can show. Any file at all: see tests/Fuzz.</summary>
public class RobustnessTests
{
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
}
