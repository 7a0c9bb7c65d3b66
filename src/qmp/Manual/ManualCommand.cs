using System.CommandLine;
using Qmp.Schema.Manual;

namespace Qmp.Tool.Manual;

/// <summary><c>qmp manual</c>: the reference manual of the interface that this program was built with.</summary>
internal static class ManualCommand
{
    public static Command Create()
    {
        var html = new Option<bool>("--html") { Description = "One HTML page (the default)" };
        var man = new Option<bool>("--man") { Description = "A page for man(1), section 7" };
        var file = new Argument<string?>("FILE") { Description = "Where to write it (default: standard output)", Arity = ArgumentArity.ZeroOrOne };
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
            var manual = ReferenceManual.Load("schema/qapi-schema.json", Resource);
            var text = parsed.GetValue(man) ? manual.ManPage(DateTime.UtcNow.ToString("yyyy-MM-dd")) : manual.Html();
            if (parsed.GetValue(file) is { } path)
            {
                File.WriteAllText(path, text);
            }
            else
            {
                Console.Out.Write(text);
            }

            return 0;
        });
        return command;
    }

    // The project file puts the schema into the program.
    private static string? Resource(string path)
    {
        using var stream = typeof(ManualCommand).Assembly.GetManifestResourceStream(path);
        return stream == null ? null : new StreamReader(stream).ReadToEnd();
    }
}
