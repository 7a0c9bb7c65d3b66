using System.CommandLine;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Completion;

/// <summary><c>qmp completion</c>: files that let a shell complete this program's command line.</summary>
internal static class CompletionCommand
{
    public static Command Create(Func<Command> tree)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Write the completion file of a shell to standard output") { shell };
        command.SetAction(parsed =>
        {
            var outline = CommandOutline.Of(tree());
            Console.Out.Write(parsed.GetRequiredValue(shell) switch
            {
                "bash" => BashCompletion.Write(outline),
                "zsh" => ZshCompletion.Write(outline),
                _ => FishCompletion.Write(outline),
            });
            return ExitCode.Ok;
        });
        return command;
    }
}
