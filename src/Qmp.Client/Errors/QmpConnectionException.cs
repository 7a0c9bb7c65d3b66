namespace Qmp.Client;

/// <summary>There is no connection: it cannot be made, it was lost, or the client is closed.</summary>
/// <param name="message">What happened.</param>
/// <param name="innerException">The cause, if there is one.</param>
public class QmpConnectionException(string message, Exception? innerException = null) : IOException(message, innerException);

/// <summary>
/// The connection was lost while a call waited for its reply. Whether the server has executed the command is not known.
/// </summary>
/// <param name="command">Name of the command.</param>
/// <param name="innerException">The cause, if there is one.</param>
public sealed class QmpCallInterruptedException(string command, Exception? innerException = null)
    : QmpConnectionException($"the connection was lost before the reply to '{command}' came; the server may have executed it", innerException)
{
    /// <summary>Name of the command.</summary>
    public string Command { get; } = command;
}
