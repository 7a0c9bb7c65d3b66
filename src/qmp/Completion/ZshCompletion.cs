using System.Text;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Completion;

/// <summary>Completion for zsh, with descriptions.</summary>
internal static class ZshCompletion
{
    public static string Write(CommandOutline program)
    {
        var text = new StringBuilder("""
            #compdef qmp
            # Completion of qmp for zsh: put it as _qmp into a folder of $fpath, or source it after compinit.
            _qmp() {
                local curcontext=$curcontext state line
                typeset -A opt_args

            """);
        text.Append($"    _arguments -C {string.Join(' ', program.Options.Select(Option))} '1:command:->command' '*::argument:->rest'\n");
        text.Append("    case $state in\n    command)\n        local -a commands=(\n");
        foreach (var command in program.Commands)
        {
            text.Append($"            {Quote(command.Name + ":" + command.Description)}\n");
        }

        text.Append("        )\n        _describe command commands\n        ;;\n    rest)\n        case $words[1] in\n");
        foreach (var command in program.Commands)
        {
            var parts = command.Options.Select(Option).Concat(command.Arguments.Select((argument, i) =>
                Quote($"{(argument.IsRepeatable ? "*" : $"{i + 1}")}:{argument.Name}:{(argument.Values.Count > 0 ? $"({string.Join(' ', argument.Values)})" : "_files")}")));
            text.Append($"        {command.Name})\n            _arguments {string.Join(" \\\n                ", parts.Append("'--help[Show help]'"))}\n            ;;\n");
        }

        return text.Append("""
                    esac
                    ;;
                esac
            }
            if [[ ${funcstack[1]} == _qmp ]]; then
                _qmp "$@"
            else
                compdef _qmp qmp
            fi

            """).ToString();
    }

    private static string Option(OutlineItem option)
    {
        var value = option.ValueName is null ? ""
            : $":{option.ValueName}:{(option.Values.Count > 0 ? $"({string.Join(' ', option.Values)})" : option.ValueName is "FILE" ? "_files" : option.ValueName is "FOLDER" ? "_files -/" : "")}";
        return Quote($"{(option.IsRepeatable ? "*" : "")}{option.Name}[{option.Description.Replace("\\", "\\\\").Replace("[", "\\[").Replace("]", "\\]").Replace(":", "\\:")}]{value}");
    }

    private static string Quote(string text) => "'" + text.Replace("'", "'\\''") + "'";
}
