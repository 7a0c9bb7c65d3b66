using System.CommandLine;
using Qmp.Schema.Manual;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Manual;

/// <summary><c>qmp manual</c>: the reference manual of the interface that this program was built with.</summary>
internal static class ManualCommand
{
    public static Command Create(Func<Command> tree)
    {
        var html = new Option<bool>("--html") { Description = "One HTML page (the default)" };
        var man = new Option<bool>("--man") { Description = "A page for man(1), section 7" };
        var tool = new Option<bool>("--tool") { Description = "The page of this program for man(1), section 1" };
        var file = Arguments.File("Where to write it; '-' is standard output");
        file.DefaultValueFactory = _ => "-";
        var command = new Command("manual", "Write the reference manual of the QMP interface, or the manual page of this program") { html, man, tool, file };
        command.Validators.Add(result =>
        {
            if (new[] { result.GetValue(html), result.GetValue(man), result.GetValue(tool) }.Count(isGiven => isGiven) > 1)
            {
                result.AddError("--html, --man and --tool exclude each other");
            }
        });
        command.SetAction(parsed =>
        {
            var date = DateTime.UtcNow.ToString("yyyy-MM-dd");
            var text = parsed.GetValue(tool) ? ToolManPage.Write(CommandOutline.Of(tree()), date)
                : ReferenceManual.Load(EmbeddedSchema.Path, EmbeddedSchema.Read) is var manual && parsed.GetValue(man) ? manual.ManPage(date) : manual.Html();
            using var output = OutputFile.Open(parsed.GetRequiredValue(file), replace: true);
            output.Write(text);
            return ExitCode.Ok;
        });
        return command;
    }
}
