using Qmp.Protocol.Qapi;

namespace Qmp.Client;

/// <summary>A kind of event that the schema defines. Generated code lists them. Immutable.</summary>
/// <param name="name">The name on the wire.</param>
public class QmpEventType(string name)
{
    /// <summary>The name on the wire, such as <c>BLOCK_EXPORT_DELETED</c>.</summary>
    public string Name { get; } = name;
}

/// <summary>A kind of event with data. Immutable.</summary>
/// <typeparam name="T">Type of the data.</typeparam>
/// <param name="name">The name on the wire.</param>
/// <param name="read">Reads the data.</param>
public sealed class QmpEventType<T>(string name, QapiItemReader<T> read) : QmpEventType(name)
{
    /// <summary>Reads the data.</summary>
    public QapiItemReader<T> Read { get; } = read;
}
