namespace Qmp.Schema;

/// <summary>What a schema may not exceed, so that hostile input ends in an error and not in exhausted memory.</summary>
internal static class SchemaLimits
{
    /// <summary>Characters in one file.</summary>
    public const int FileLength = 4 << 20;

    /// <summary>Files that one schema is made of.</summary>
    public const int Files = 1000;

    /// <summary>Includes within includes.</summary>
    public const int IncludeDepth = 32;

    /// <summary>Lists and objects within each other, and terms of a condition.</summary>
    public const int Nesting = 32;

    /// <summary>Bases above a struct, and unions within branches of unions.</summary>
    public const int Inheritance = 32;

    /// <summary>Members of one object with everything it inherits, and branches of one union.</summary>
    public const int Members = 4096;

    /// <summary>Conditions that a schema may list.</summary>
    public const int Conditions = 64;

    /// <summary>Commands, events and types.</summary>
    public const int Definitions = 100_000;
}
