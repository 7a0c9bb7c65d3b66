using System.Text;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Completion;

/// <summary>Completion for fish, with descriptions.</summary>
internal static class FishCompletion
{
    public static string Write(CommandOutline program)
    {
        var text = new StringBuilder("# Completion of qmp for fish: put it as qmp.fish into ~/.config/fish/completions, or source it.\ncomplete -c qmp -e\n");
        foreach (var option in program.Options)
        {
            text.Append($"complete -c qmp -n __fish_use_subcommand -l {option.Name.TrimStart('-')} -d {Quote(option.Description)}\n");
        }

        foreach (var command in program.Commands)
        {
            text.Append($"complete -c qmp -f -n __fish_use_subcommand -a {command.Name} -d {Quote(command.Description)}\n");
        }

        foreach (var command in program.Commands)
        {
            var seen = $"-n '__fish_seen_subcommand_from {command.Name}'";
            foreach (var option in command.Options)
            {
                var value = option.ValueName is null ? "" : option.Values.Count > 0 ? $" -x -a {Quote(string.Join(' ', option.Values))}" : " -r";
                text.Append($"complete -c qmp {seen} -l {option.Name.TrimStart('-')}{value} -d {Quote(option.Description)}\n");
            }

            foreach (var argument in command.Arguments.Where(argument => argument.Values.Count > 0))
            {
                text.Append($"complete -c qmp -f {seen} -a {Quote(string.Join(' ', argument.Values))} -d {Quote(argument.Name)}\n");
            }
        }

        return text.ToString();
    }

    private static string Quote(string text) => "'" + text.Replace("\\", "\\\\").Replace("'", "\\'") + "'";
}
