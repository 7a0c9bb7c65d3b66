namespace Qmp.Schema.Parsing;

/// <summary>Which names the language allows.</summary>
internal static class NameRules
{
    /// <summary>A type: CamelCase, and not with the ending of QEMU's generated lists.</summary>
    public static void CheckType(string name, SourceLocation location)
    {
        CheckSyntax(name, "type", location);
        var bare = WithoutPrefix(name);
        if (bare.Length == 0 || bare[0] is < 'A' or > 'Z' || bare.Any(c => c is '-' or '_') || (bare.Length > 1 && !bare.Any(c => c is >= 'a' and <= 'z')))
        {
            throw new SchemaException(location, $"name of type '{name}' must be in CamelCase");
        }

        if (name.EndsWith("List", StringComparison.Ordinal))
        {
            throw new SchemaException(location, $"name of type '{name}' must not end in 'List'");
        }
    }

    public static void CheckCommand(string name, bool lenient, SourceLocation location) =>
        CheckLower(name, "command", lenient, location);

    public static void CheckEvent(string name, SourceLocation location)
    {
        CheckSyntax(name, "event", location);
        if (name.Any(c => c is '-' or >= 'a' and <= 'z'))
        {
            throw new SchemaException(location, $"name of event '{name}' must be in CAPITALS with '_'");
        }
    }

    public static void CheckMember(string name, bool lenient, SourceLocation location)
    {
        CheckLower(name, "member", lenient, location);
        if (name is "u" || name.StartsWith("has-", StringComparison.Ordinal) || name.StartsWith("has_", StringComparison.Ordinal))
        {
            throw new SchemaException(location, $"name of member '{name}' is reserved");
        }
    }

    public static void CheckFeature(string name, SourceLocation location) => CheckLower(name, "feature", false, location);

    /// <summary>A value of an enumeration may start with a digit.</summary>
    public static void CheckEnumValue(string name, bool lenient, SourceLocation location) =>
        CheckLower(name.Length > 0 && name[0] is >= '0' and <= '9' ? "d" + name : name, name, "value", lenient, location);

    private static void CheckLower(string name, string what, bool lenient, SourceLocation location) =>
        CheckLower(name, name, what, lenient, location);

    private static void CheckLower(string name, string shown, string what, bool lenient, SourceLocation location)
    {
        CheckSyntax(name, shown, what, location);
        if (!lenient && WithoutPrefix(name).Any(c => c is '_' or >= 'A' and <= 'Z'))
        {
            throw new SchemaException(location, $"name of {what} '{shown}' must be in lower case with '-'");
        }
    }

    private static void CheckSyntax(string name, string what, SourceLocation location) =>
        CheckSyntax(name, name, what, location);

    private static void CheckSyntax(string name, string shown, string what, SourceLocation location)
    {
        var bare = WithoutPrefix(name);
        if (bare.Length == 0 || !IsLetter(bare[0]) || !bare.All(c => IsLetter(c) || c is >= '0' and <= '9' or '-' or '_'))
        {
            throw new SchemaException(location, $"'{shown}' is not a name of a {what}: letters, digits, '-' and '_', a letter first");
        }

        if (name.StartsWith("q_", StringComparison.Ordinal))
        {
            throw new SchemaException(location, $"name of {what} '{shown}' is reserved: it starts with 'q_'");
        }
    }

    // "__com.example_name" -> "name"
    private static string WithoutPrefix(string name)
    {
        if (!name.StartsWith("__", StringComparison.Ordinal))
        {
            return name;
        }

        var end = name.IndexOf('_', 2);
        return end < 3 || !name.Substring(2, end - 2).All(c => IsLetter(c) || c is >= '0' and <= '9' or '-' or '.')
            ? name
            : name.Substring(end + 1);
    }

    private static bool IsLetter(char c) => c is >= 'a' and <= 'z' or >= 'A' and <= 'Z';
}
