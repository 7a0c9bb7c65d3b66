namespace Qmp.Schema;

/// <summary>A schema file breaks a rule of the language. The message starts with <c>file:line: </c>.</summary>
internal sealed class SchemaException(SourceLocation location, string problem)
    : Exception($"{location}: {problem}")
{
    /// <summary>Where.</summary>
    public SourceLocation Location { get; } = location;

    /// <summary>What, without the place.</summary>
    public string Problem { get; } = problem;
}
