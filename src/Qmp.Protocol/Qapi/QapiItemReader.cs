namespace Qmp.Protocol.Qapi;

/// <summary>Takes one element of a list.</summary>
/// <typeparam name="T">Its type.</typeparam>
/// <param name="reader">A reader that stands on the element.</param>
/// <returns>The element.</returns>
public delegate T QapiItemReader<out T>(ref QapiReader reader);
