using System.Text;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Manual;

/// <summary>The manual page of this program, made from what <c>--help</c> is made from.</summary>
internal sealed class ToolManPage
{
    private const int LineLength = 78;

    private readonly StringBuilder _text = new();

    private ToolManPage()
    {
    }

    /// <param name="program">The program.</param>
    /// <param name="date">The date in its foot, YYYY-MM-DD.</param>
    public static string Write(CommandOutline program, string date)
    {
        var page = new ToolManPage();
        page.Line($".TH QMP 1 \"{date}\" \"qmpd\" \"User commands\"");
        page.Line(".SH NAME");
        page.Line("qmp \\- " + Escape(LowerFirst(program.Description.TrimEnd('.'))));
        page.Line(".SH SYNOPSIS");
        for (var i = 0; i < program.Commands.Count; i++)
        {
            page.Line((i > 0 ? ".br\n" : "") + Synopsis(program.Commands[i]));
        }

        page.Line(".SH DESCRIPTION");
        page.Line("An address of a server, or to listen on, is a path, \\fB@\\fP\\fINAME\\fP of an abstract Unix socket, "
            + "\\fIHOST\\fP\\fB:\\fP\\fIPORT\\fP, \\fBunix:\\fP\\fIPATH\\fP or \\fBtcp:\\fP\\fIHOST\\fP\\fB:\\fP\\fIPORT\\fP.");
        page.Line("Colours appear on a terminal only.");
        page.Line(".SH COMMANDS");
        foreach (var command in program.Commands)
        {
            page.Command(command);
        }

        page.Line(".SH OPTIONS");
        page.Items(program.Options);
        page.Line(".SH EXIT STATUS");
        foreach (var (status, meaning) in ExitCode.Meanings)
        {
            page.Line($".TP\n\\fB{status}\\fP\n{Escape(meaning)}");
        }

        page.Line(".SH ENVIRONMENT");
        page.Line(".TP\n\\fBNO_COLOR\\fP\nno colours, if it is set and not empty");
        page.Line(".TP\n\\fBXDG_STATE_HOME\\fP\nwhere the history of \\fBqmp shell\\fP is kept (default: \\fI\\(ti/.local/state\\fP)");
        page.Line(".SH FILES");
        page.Line(".TP\n\\fI$XDG_STATE_HOME/qmp/history\\fP\nthe last lines that were typed in \\fBqmp shell\\fP");
        page.Line(".SH SEE ALSO");
        page.Line("\\fBqmp\\-ref\\fP(7), \\fBqemu\\-storage\\-daemon\\fP(1)");
        return page._text.ToString();
    }

    private static string Synopsis(CommandOutline command) => $"\\fBqmp {Escape(command.Name)}\\fP"
        + (command.Options.Count > 0 ? " [\\fIOPTION\\fP...]" : "") + string.Concat(command.Arguments.Select(argument =>
        {
            var name = $"\\fI{Escape(argument.Name)}\\fP{(argument.IsRepeatable ? "..." : "")}";
            return argument.IsOptional ? $" [{name}]" : " " + name;
        }));

    private void Command(CommandOutline command)
    {
        Line($".SS qmp {Escape(command.Name)}");
        Line(Escape(command.Description + "."));
        Items(command.Arguments);
        Items(command.Options);
    }

    private void Items(IReadOnlyList<OutlineItem> items)
    {
        foreach (var item in items)
        {
            var isOption = item.Name.StartsWith('-');
            var names = string.Join(", ", item.Aliases.Where(alias => alias.StartsWith('-')).Append(item.Name).Distinct().Select(name => $"\\f{(isOption ? 'B' : 'I')}{Escape(name)}\\fP"));
            Line($".TP\n{names}{(item.ValueName is { } value ? $" \\fI{Escape(value)}\\fP" : "")}");
            Line(Escape(item.Description + (item.Default is { Length: > 0 } and not "-" ? $" (default: {item.Default})" : "") + "."));
        }
    }

    // Text is wrapped, as other programs want their input; a word that looks like a request stays behind its line.
    private void Line(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            var column = 0;
            foreach (var word in line.StartsWith('.') ? [line] : line.Split(' '))
            {
                var wraps = column > 0 && column + 1 + word.Length > LineLength && word.Length > 0 && word[0] != '.';
                _text.Append(column == 0 ? "" : wraps ? "\n" : " ").Append(word);
                column = wraps ? word.Length : column + word.Length + (column > 0 ? 1 : 0);
            }

            _text.Append('\n');
        }
    }

    private static string LowerFirst(string text) => char.ToLowerInvariant(text[0]) + text[1..];

    // A line may not begin with a control character, and '-' is a hyphen unless escaped.
    private static string Escape(string text)
    {
        var escaped = text.Replace("\\", "\\e").Replace("-", "\\-").Replace("^", "\\(ha").Replace("~", "\\(ti").Replace("`", "\\(ga").Replace("'", "\\(aq");
        return escaped.StartsWith('.') ? "\\&" + escaped : escaped;
    }
}
