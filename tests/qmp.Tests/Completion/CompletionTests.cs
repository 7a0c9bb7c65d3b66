using Qmp.Testing;

namespace Qmp.Tool.Tests.Completion;

/// <summary>The completion files in the shells that they are for, and the manual page.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class CompletionTests
{
    [TestCase("bash --norc -i", "source <(qmp completion bash)")]
    [TestCase("zsh -f -i", "autoload -U compinit; compinit -u; source <(qmp completion zsh)")]
    [TestCase("fish --no-config", "qmp completion fish | source")]
    public async Task TabCompletesCommandsOptionsAndValues(string start, string load)
    {
        using var folder = new WorkFolder();
        await using var terminal = await TerminalEmulator.RunAsync(folder, start);
        await terminal.PressAsync(load + "; echo re''ady", "Enter");
        await terminal.WaitForAsync("\nready\n");
        await terminal.PressAsync("qmp gra", "Tab");
        await terminal.WaitForAsync(" qmp graph");
        await terminal.PressAsync("C-u", "qmp graph --form", "Tab");
        await terminal.WaitForAsync(" qmp graph --format");
        await terminal.PressAsync("C-u", "qmp graph --format sv", "Tab");
        await terminal.WaitForAsync(" qmp graph --format svg");
        await terminal.PressAsync("C-u", "qmp graph no-such-socket", "Enter");
        await terminal.WaitForAsync("qmp: cannot talk to no-such-socket");
        await File.WriteAllTextAsync(folder.File("recording.qmp"), "nonsense");
        await terminal.PressAsync("qmp replay reco", "Tab");
        await terminal.WaitForAsync("qmp replay recording.qmp");
        await terminal.PressAsync("other", "Enter");
        await terminal.WaitForAsync("recording.qmp:1:");
        await terminal.PressAsync("qmp completion f", "Tab", "| head -n 1", "Enter");
        await terminal.WaitForAsync("\n# Completion of qmp for fish");
        // It writes its history when it ends: before its folder goes.
        await terminal.PressAsync("exit", "Enter");
        await terminal.WaitForAsync("exit status");
    }

    [Test]
    public async Task TheManualPageHasEveryCommandAndOptionOfTheHelp()
    {
        using var folder = new WorkFolder();
        var written = await Tool.RunAsync(folder, "manual", "--tool", "qmp.1");
        Assert.That((written.ExitCode, written.Error), Is.EqualTo((0, "")));
        var lint = await Testing.Shell.RunAsync("mandoc -T lint qmp.1; groff -man -ww -z -Kutf8 qmp.1", folder.Path);
        Assert.That(lint.Output.Trim(), Is.Empty);
        var page = await Testing.Shell.CheckAsync("mandoc -T utf8 -O width=200 qmp.1 | col -b", folder.Path);
        Assert.That(page, Does.Contain("qmp graph [OPTION...] SOCKET").And.Contain("interrupted before it was done"));
        var help = await Tool.RunAsync(folder, "--help");
        var commands = System.Text.RegularExpressions.Regex.Matches(help.Output[help.Output.IndexOf("Commands:", StringComparison.Ordinal)..], @"(?m)^  ([a-z]+) ").Select(match => match.Groups[1].Value).ToList();
        Assert.That(commands, Has.Count.GreaterThan(9));
        foreach (var command in commands)
        {
            var text = page[page.IndexOf($"\n   qmp {command}\n", StringComparison.Ordinal)..];
            var options = System.Text.RegularExpressions.Regex.Matches((await Tool.RunAsync(folder, command, "--help")).Output, @"--[a-z-]+").Select(match => match.Value).Where(name => name is not "--help" and not "--version").Distinct();
            Assert.That(options.Where(option => !text.Contains(option, StringComparison.Ordinal)), Is.Empty, command);
        }
    }

    [Test]
    public async Task ThePagesExcludeEachOther()
    {
        using var folder = new WorkFolder();
        var result = await Tool.RunAsync(folder, "manual", "--tool", "--man");
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((2, "qmp: --html, --man and --tool exclude each other\nSee 'qmp manual --help'.\n")));
    }
}
