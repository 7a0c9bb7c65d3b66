namespace Qmp.Daemon.CommandLine;

/// <summary>What is wrong with the argument of one option, before it is known which option it is.</summary>
/// <param name="text">The text, QEMU's where QEMU has one.</param>
/// <param name="hint">Further lines for people; null for none.</param>
internal sealed class OptionException(string text, string? hint = null) : Exception(text)
{
    public string? Hint { get; } = hint;
}
