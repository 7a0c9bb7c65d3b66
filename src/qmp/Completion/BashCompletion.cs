using System.Text;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Completion;

/// <summary>Completion for bash; what is not known is a file.</summary>
internal static class BashCompletion
{
    public static string Write(CommandOutline program)
    {
        var text = new StringBuilder($$"""
            # Completion of qmp for bash: source it, or put it into the folder bash-completion/completions.
            _qmp() {
                local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' word
                COMPREPLY=()
                for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                    case $word in {{string.Join('|', program.Commands.Select(command => command.Name))}})
                        command=$word
                        break
                        ;;
                    esac
                done
                case $command,$prev in

            """);
        foreach (var command in program.Commands)
        {
            foreach (var option in command.Options.Where(option => option.ValueName is not null))
            {
                Case($"{command.Name},{option.Name}", option.Values, "return");
            }

            foreach (var argument in command.Arguments.Take(1).Where(argument => argument.Values.Count > 0))
            {
                Case($"{command.Name},{command.Name}", argument.Values, "");
            }
        }

        text.Append("    esac\n    case $command,$cur in\n");
        Case(",*", [.. program.Commands.Select(command => command.Name), .. Names(program)], "");
        foreach (var command in program.Commands)
        {
            Case(command.Name + ",-*", [.. Names(command), .. Names(program).Where(name => name == "--help")], "");
        }

        return text.Append("    esac\n}\ncomplete -o default -F _qmp qmp\n").ToString();

        void Case(string pattern, IReadOnlyList<string> words, string then)
        {
            text.Append($"    {pattern})\n");
            if (words.Count > 0)
            {
                text.Append($"        mapfile -t COMPREPLY < <(compgen -W '{string.Join(' ', words)}' -- \"$cur\")\n");
            }

            text.Append(then.Length > 0 ? $"        {then}\n" : "").Append("        ;;\n");
        }
    }

    private static IEnumerable<string> Names(CommandOutline command) => command.Options.Select(option => option.Name);
}
