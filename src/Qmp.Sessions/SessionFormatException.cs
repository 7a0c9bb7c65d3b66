namespace Qmp.Sessions;

/// <summary>A recording that cannot be read; the message begins with the file and the line.</summary>
public sealed class SessionFormatException(string path, int line, string problem) : FormatException($"{path}:{line}: {problem}")
{
    /// <summary>The line, counted from 1.</summary>
    public int Line { get; } = line;
}
