namespace Qmp.Schema;

/// <summary>A line of a schema file.</summary>
/// <param name="File">Path of the file, as it was loaded.</param>
/// <param name="Line">Line, from 1.</param>
internal sealed record SourceLocation(string File, int Line)
{
    /// <summary>Where built-in types come from.</summary>
    public static SourceLocation BuiltIn { get; } = new("(built in)", 0);

    public override string ToString() => $"{File}:{Line}";
}
