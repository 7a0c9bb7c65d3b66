namespace Qmp.Daemon.CommandLine;

/// <summary><c>--trace</c>: there are no trace events, so nothing can be switched on; what is malformed is refused.</summary>
internal static class TraceOptions
{
    private static readonly Dictionary<string, OptionList.ValueType> Types = new()
    {
        ["enable"] = OptionList.ValueType.String,
        ["events"] = OptionList.ValueType.String,
        ["file"] = OptionList.ValueType.String,
    };

    /// <summary>Checks the argument.</summary>
    /// <returns>Whether the list of events was asked for; it is empty.</returns>
    /// <exception cref="OptionException">A key is unknown.</exception>
    public static bool Check(string argument, Action<string> warn)
    {
        var options = OptionList.Parse(argument, "enable", Types, warn);
        if (options.HelpWanted)
        {
            return true;
        }

        if (options.String("enable") is { } pattern && !pattern.Contains('*', StringComparison.Ordinal))
        {
            warn($"warning: trace event '{pattern}' does not exist");
        }

        return false;
    }
}
