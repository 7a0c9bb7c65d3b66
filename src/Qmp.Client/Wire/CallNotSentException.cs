namespace Qmp.Client;

/// <summary>The connection was over before a call was sent: the next connection may take it. Never leaves the library.</summary>
internal sealed class CallNotSentException() : Exception("the call was not sent");
