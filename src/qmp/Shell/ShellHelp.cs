using System.Text;
using Qmp.Schema.Manual;
using Qmp.Tool.Calls;
using Qmp.Tool.Cli;
using Qmp.Tool.Manual;

namespace Qmp.Tool.Shell;

/// <summary>Help about commands: what the server tells about their arguments, and our documentation where there is some.</summary>
internal sealed class ShellHelp(ServerTypes? types)
{
    private const string Overview = """
        COMMAND key=value...   runs a command; dots lead into objects (file.driver=null-co), Tab completes
        COMMAND {...}          the same with JSON; a whole message {"execute": ...} does as well
        transaction(           begins a transaction: an action per line, then ')' to run it, Ctrl-C to drop it
        help COMMAND           explains a command; with arguments (driver=raw) also what they bring
        exit, Ctrl-D           ends the shell; the server goes on
        """;

    private readonly Lazy<IReadOnlyDictionary<string, DefinitionText>> _texts = new(() => DefinitionText.Load(EmbeddedSchema.Path, EmbeddedSchema.Read));

    /// <summary>What the shell can do, and all commands.</summary>
    public string All(int width) => types is null ? Overview : $"{Overview}\n\n{LineEditor.Columns(types.Commands, width)}";

    /// <summary>One command.</summary>
    /// <param name="command">Its name.</param>
    /// <param name="given">Arguments; they choose among the branches of a union.</param>
    /// <param name="width">Columns of the terminal.</param>
    /// <exception cref="FormatException">It is not known.</exception>
    public string Command(string command, IReadOnlyList<string> given, int width)
    {
        var documented = _texts.Value.TryGetValue(command, out var text);
        if (types?.ArgumentsOf(command) is not { } type)
        {
            throw new FormatException(types is null ? "the server does not tell about its commands" : $"the server has no command '{command}'");
        }

        var help = new StringBuilder(Terminal.Bold(command)).Append('\n');
        foreach (var paragraph in documented ? text!.Body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries) : [])
        {
            Paragraph(help, paragraph, width, "  ");
        }

        var arguments = KeyValueArguments.Read(given, types, type);
        foreach (var member in types.Members(type, arguments))
        {
            help.Append('\n').Append($"  {Terminal.Bold(Terminal.Clean(member.Name))}{(member.IsOptional ? " (optional)" : "")}\n");
            Paragraph(help, types.Describe(member.Type), width, "      ");
            if (documented && text!.Members.TryGetValue(member.Name, out var about))
            {
                Paragraph(help, about, width, "      ");
            }
        }

        if (types.OpenChoice(type, arguments) is { } choice)
        {
            help.Append('\n').Append(Terminal.Clean($"  More arguments depend on {choice}: help {command} {choice}=...")).Append('\n');
        }

        var returned = types.ReturnOf(command) is { } result && types.KindOf(result) is var kind && !(kind == "object" && types.Members(result, null).Count == 0);
        if (returned)
        {
            help.Append("\n  Returns: ").Append(types.Describe(types.ReturnOf(command))).Append('\n');
            if (documented && text!.Returns is { } returns)
            {
                Paragraph(help, returns, width, "      ");
            }
        }

        return help.ToString().TrimEnd('\n');
    }

    private static void Paragraph(StringBuilder into, string text, int width, string indent)
    {
        var column = 0;
        foreach (var word in Terminal.Clean(text.Replace('\n', ' ')).Replace("``", "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var shown = word.Length > 1 && word[0] == '@' ? word[1..] : word;
            if (column > 0 && indent.Length + column + shown.Length + 1 >= width)
            {
                into.Append('\n');
                column = 0;
            }

            into.Append(column == 0 ? indent : " ").Append(shown);
            column += shown.Length + 1;
        }

        into.Append('\n');
    }
}
