namespace Qmp.Server;

/// <summary>Names that users give to objects, nodes and exports.</summary>
public static class Identifiers
{
    /// <summary>What a well-formed name is, for people.</summary>
    public const string Rule = "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.";

    /// <summary>Whether a name is a letter followed by letters, digits and <c>-._</c>. <b>Any</b>.</summary>
    /// <param name="name">The name.</param>
    public static bool IsWellFormed(string name) =>
        name.Length > 0 && char.IsAsciiLetter(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_');
}
