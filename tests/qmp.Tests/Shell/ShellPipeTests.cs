using System.Diagnostics;
using System.Text.Json;
using Qmp.Testing;
using Qmp.Tool.Calls;
using Qmp.Tool.Shell;

namespace Qmp.Tool.Tests.Shell;

/// <summary><c>qmp shell</c> without a terminal, and the parts that need none.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class ShellPipeTests
{
    private static readonly ServerTypes Types = new(JsonDocument.Parse("""
        [{"name": "add", "meta-type": "command", "arg-type": "1", "ret-type": "0"},
         {"name": "also", "meta-type": "command", "arg-type": "0", "ret-type": "0"},
         {"name": "transaction", "meta-type": "command", "arg-type": "7", "ret-type": "0"},
         {"name": "0", "meta-type": "object", "members": []},
         {"name": "1", "meta-type": "object", "members": [{"name": "kind", "type": "2"}, {"name": "on-error", "type": "bool", "default": null}], "tag": "kind",
          "variants": [{"case": "box", "type": "3"}]},
         {"name": "2", "meta-type": "enum", "values": ["bag", "box"], "members": [{"name": "bag"}, {"name": "box"}]},
         {"name": "3", "meta-type": "object", "members": [{"name": "inner", "type": "4"}]},
         {"name": "4", "meta-type": "alternate", "members": [{"type": "str"}, {"type": "1"}]},
         {"name": "7", "meta-type": "object", "members": [{"name": "actions", "type": "[8]"}]},
         {"name": "[8]", "meta-type": "array", "element-type": "8"},
         {"name": "8", "meta-type": "object", "members": [{"name": "type", "type": "2"}], "tag": "type", "variants": [{"case": "bag", "type": "9"}]},
         {"name": "9", "meta-type": "object", "members": [{"name": "data", "type": "1"}]},
         {"name": "bool", "meta-type": "builtin", "json-type": "boolean"},
         {"name": "str", "meta-type": "builtin", "json-type": "string"}]
        """).RootElement);

    [TestCase("a", false, "add |also ")]
    [TestCase("add ", false, "kind=|on-error=")]
    [TestCase("add k", false, "kind=")]
    [TestCase("add kind=", false, "kind=bag |kind=box ")]
    [TestCase("add kind=box ", false, "inner.|inner=|on-error=")]
    [TestCase("add kind=box inner.k", false, "inner.kind=")]
    [TestCase("add kind=box inner.kind=box inner.", false, "inner.inner.|inner.inner=|inner.on-error=")]
    [TestCase("add kind=bag on-error=o", false, "on-error=off |on-error=on ")]
    [TestCase("add kind=bag wrong on", false, "on-error=")]
    [TestCase("none x", false, "")]
    [TestCase("help al", false, "also ")]
    [TestCase("t", false, "transaction(")]
    [TestCase("", true, ")|bag |box ")]
    [TestCase("bag ", true, "kind=|on-error=")]
    [TestCase("add kind=\"box", false, "kind=box ")]
    public void CompletionFollowsTheIntrospection(string text, bool inTransaction, string expected) =>
        Assert.That(string.Join('|', new ShellCompletion(Types).Complete(text, inTransaction).Candidates), Is.EqualTo(expected));

    [TestCase("a  b=c", "a|b=c")]
    [TestCase("""a b="x y" c='z "' d=""", "a|b=x y|c=z \"|d=")]
    [TestCase("""a {"b": [1, "} c"]} d""", """a|{"b": [1, "} c"]}|d""")]
    [TestCase("""a b="x\"y\\" """, """a|b=x"y\""")]
    public void WordsAreSplitWhereNothingHoldsThem(string line, string expected) =>
        Assert.That(string.Join('|', ShellWords.Split(line)), Is.EqualTo(expected));

    [TestCase("a 'b", "nothing closes the '")]
    [TestCase("a [{}", "nothing closes the [")]
    public void AnOpenQuoteIsSaid(string line, string message) =>
        Assert.That(() => ShellWords.Split(line), Throws.TypeOf<FormatException>().With.Message.EqualTo(message));

    [Test]
    public async Task LinesOfAPipeAreAnsweredInJson()
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        var result = await PipeAsync(folder, """
            # a node
            blockdev-add driver=null-co node-name=a size=65536
            transaction(
            block-dirty-bitmap-add node=a name=b
            ) properties.completion-mode=individual
            nonsense
            {"execute": "query-block-exports", "id": 5}
            """);
        Assert.That(result, Is.EqualTo(new ToolResult(1, """
            {"return":{}}
            {"return":{}}
            {"error":{"class":"CommandNotFound","desc":"The command nonsense has not been found"}}
            {"return":[]}

            """, "")));
    }

    [TestCase("block_resize size=big", "'size' is an integer, not 'big'")]
    [TestCase("transaction(\nnothing", "the server has no action 'nothing'")]
    [TestCase("transaction(", "the input ends within a transaction")]
    [TestCase("{\"execute\": 5}", "")]
    [TestCase("{\"exe", "")]
    [TestCase("help nothing", "the server has no command 'nothing'")]
    public async Task AMistakeIsAUsageError(string input, string error)
    {
        using var folder = new WorkFolder();
        await using var daemon = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        var result = await PipeAsync(folder, input);
        Assert.That((result.ExitCode, result.Output), Is.EqualTo((2, "")), result.Error);
        Assert.That(result.Error, Does.StartWith("qmp: " + error));
    }

    [Test]
    public void HistoryIsBounded()
    {
        using var folder = new WorkFolder();
        var history = new ShellHistory(folder.File("h"));
        for (var i = 0; i < 2 * ShellHistory.MaxLines + 100; i++)
        {
            history.Add($"line {i}");
        }

        Assert.That(history.Lines, Has.Count.EqualTo(ShellHistory.MaxLines));
        Assert.That(new ShellHistory(folder.File("h")).Lines, Is.EqualTo(history.Lines));
        Assert.That(File.ReadAllLines(folder.File("h")), Is.EqualTo(history.Lines), "an overlong file is shortened when it is read");
    }

    private static async Task<ToolResult> PipeAsync(WorkFolder folder, string input)
    {
        var start = new ProcessStartInfo(Tool.Path, ["shell", "qmp.sock"])
        {
            WorkingDirectory = folder.Path,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(input + "\n");
        process.StandardInput.Close();
        return await Tool.EndAsync(process);
    }
}
