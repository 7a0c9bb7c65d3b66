using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.Globalization;

namespace Qmp.Tool.Cli;

/// <summary>An option or argument as help, completion files and the manual page describe it.</summary>
/// <param name="Name">Its name, with dashes for an option.</param>
/// <param name="Description">One sentence without a full stop.</param>
internal sealed record OutlineItem(string Name, string Description)
{
    /// <summary>What the value of an option is called; null where it takes none.</summary>
    public string? ValueName { get; init; }

    /// <summary>The values that there are; empty where there are any.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    public bool IsOptional { get; init; }

    public bool IsRepeatable { get; init; }

    /// <summary>What holds where it is not given; null where there is nothing to say.</summary>
    public string? Default { get; init; }

    /// <summary>Other names.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];
}

/// <summary>A command as the tree of commands has it, in a form that is easy to go through.</summary>
internal sealed record CommandOutline(string Name, string Description, IReadOnlyList<OutlineItem> Arguments, IReadOnlyList<OutlineItem> Options, IReadOnlyList<CommandOutline> Commands)
{
    public static CommandOutline Of(Command command) => new(
        command.Name, command.Description ?? "",
        [.. command.Arguments.Select(Of)],
        [.. command.Options.Where(option => !option.Hidden).Select(Of)],
        [.. command.Subcommands.Select(Of)]);

    private static OutlineItem Of(Argument argument) => new(argument.Name, argument.Description ?? "")
    {
        Values = Names(argument),
        IsOptional = argument.Arity.MinimumNumberOfValues == 0 || argument.HasDefaultValue,
        IsRepeatable = argument.Arity.MaximumNumberOfValues > 1,
    };

    private static OutlineItem Of(Option option)
    {
        var takesValue = option.ValueType != typeof(bool) && option is not (HelpOption or VersionOption);
        return new(option.Name, option.Description ?? "")
        {
            ValueName = takesValue ? option.HelpName ?? "VALUE" : null,
            Values = takesValue ? Names(option) : [],
            IsOptional = true,
            IsRepeatable = option.Arity.MaximumNumberOfValues > 1,
            Default = takesValue && option.HasDefaultValue && option.GetDefaultValue() is not System.Collections.ICollection and { } value
                ? Convert.ToString(value, CultureInfo.InvariantCulture) : null,
            Aliases = [.. option.Aliases],
        };
    }

    private static IReadOnlyList<string> Names(Symbol symbol) => [.. symbol.GetCompletions(CompletionContext.Empty).Select(item => item.Label)];
}
