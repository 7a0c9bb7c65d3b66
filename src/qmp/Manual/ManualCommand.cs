using System.CommandLine;
using Qmp.Schema.Manual;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Manual;

/// <summary><c>qmp manual</c>: the reference manual of the interface that this program was built with.</summary>
internal static class ManualCommand
{
    public static Command Create()
    {
        var html = new Option<bool>("--html") { Description = "One HTML page (the default)" };
        var man = new Option<bool>("--man") { Description = "A page for man(1), section 7" };
        var file = Arguments.File("Where to write it; '-' is standard output");
        file.DefaultValueFactory = _ => "-";
        var command = new Command("manual", "Write the reference manual of the QMP interface") { html, man, file };
        command.Validators.Add(result =>
        {
            if (result.GetValue(html) && result.GetValue(man))
            {
                result.AddError("--html and --man exclude each other");
            }
        });
        command.SetAction(parsed =>
        {
            var manual = ReferenceManual.Load(EmbeddedSchema.Path, EmbeddedSchema.Read);
            var text = parsed.GetValue(man) ? manual.ManPage(DateTime.UtcNow.ToString("yyyy-MM-dd")) : manual.Html();
            using var output = OutputFile.Open(parsed.GetRequiredValue(file), replace: true);
            output.Write(text);
            return ExitCode.Ok;
        });
        return command;
    }
}
