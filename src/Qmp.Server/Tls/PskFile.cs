using System.Text;
using Qmp.Protocol;
using Qmp.Server.Objects;

namespace Qmp.Server.Tls;

/// <summary>Files of shared keys, as <c>psktool</c> makes them: lines of a user, a colon and the key in hexadecimal digits.</summary>
internal static class PskFile
{
    private const int KeyBytesMin = 4;

    /// <summary>The key of a user. Blocks.</summary>
    /// <exception cref="QmpException">The file cannot be read, lacks the user, or his key is malformed.</exception>
    public static byte[] KeyOf(string path, string user)
    {
        string[] lines;
        try
        {
            lines = Encoding.UTF8.GetString(SmallFile.Read(path)).Split('\n');
        }
        catch (QmpException e)
        {
            throw new QmpException($"Cannot read PSK file {path}: {e.Description}");
        }

        var line = user.Length == 0 ? null : lines.FirstOrDefault(l => l.StartsWith(user + ":", StringComparison.Ordinal));
        var digits = line?[(user.Length + 1)..] ?? throw new QmpException($"Username {user} not found in PSK file {path}");
        if (digits.Length % 2 != 0 || !digits.All(char.IsAsciiHexDigit))
        {
            throw new QmpException("Cannot set PSK client credentials: Error in parsing.");
        }

        return digits.Length >= 2 * KeyBytesMin
            ? Convert.FromHexString(digits)
            : throw new QmpException("Cannot set PSK client credentials: The request is invalid.");
    }
}
