namespace Qmp.Client;

/// <summary>The server said something that is not QMP, or a value that does not fit its type.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="innerException">The cause, if there is one.</param>
public sealed class QmpProtocolException(string message, Exception? innerException = null) : Exception(message, innerException);
