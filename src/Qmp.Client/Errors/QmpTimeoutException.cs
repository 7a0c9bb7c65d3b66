using System.Globalization;

namespace Qmp.Client;

/// <summary>
/// No reply came in time. The command cannot be withdrawn: the server may still execute it, and its reply will be
/// thrown away.
/// </summary>
/// <param name="command">Name of the command.</param>
/// <param name="timeout">How long the call waited.</param>
public sealed class QmpTimeoutException(string command, TimeSpan timeout)
    : TimeoutException(string.Create(CultureInfo.InvariantCulture, $"no reply to '{command}' within {timeout.TotalSeconds:0.###} s"))
{
    /// <summary>Name of the command.</summary>
    public string Command { get; } = command;
}
