using Qmp.Protocol.Qapi;
using Qmp.Protocol.Wire;

namespace Qmp.Daemon.CommandLine;

/// <summary>The argument of an option in either syntax: JSON when it begins with a brace, else key=value.</summary>
internal static class OptionArgument
{
    /// <summary>Reads it.</summary>
    /// <param name="text">The argument.</param>
    /// <param name="impliedKey">The key of a first value without one; null for none.</param>
    /// <param name="helpWanted">Whether the user asks for help.</param>
    /// <exception cref="OptionException">It is malformed.</exception>
    /// <exception cref="Protocol.QmpException">It is malformed JSON.</exception>
    public static QapiDocument Parse(string text, string? impliedKey, out bool helpWanted)
    {
        if (!text.StartsWith('{'))
        {
            return KeyvalParser.Parse(text, impliedKey, out helpWanted);
        }

        helpWanted = false;
        return JsonText.Parse(text);
    }
}
