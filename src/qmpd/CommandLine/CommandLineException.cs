namespace Qmp.Daemon.CommandLine;

/// <summary>The command line cannot be obeyed: printed after the program's name, exit status 1.</summary>
/// <param name="location">The option with its argument, as typed; null when the text says it all.</param>
/// <param name="text">What is wrong.</param>
/// <param name="hint">Further lines for people, without the program's name; null for none.</param>
internal sealed class CommandLineException(string? location, string text, string? hint = null)
    : Exception(location is null ? text : location + ": " + text)
{
    public string? Hint { get; } = hint;
}
