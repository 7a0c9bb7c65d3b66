using Qmp.Protocol.Qapi;

namespace Qmp.Protocol;

/// <summary>An event: its name and its data. The timestamp is taken when it is emitted. Immutable.</summary>
/// <param name="name">The wire name, such as <c>BLOCK_EXPORT_DELETED</c>.</param>
/// <param name="data">What stands under <c>data</c>; null leaves that member out.</param>
public sealed class QmpEvent(string name, IQapiWritable? data = null)
{
    /// <summary>The wire name. <b>Any</b>.</summary>
    public string Name { get; } = name;

    /// <summary>What stands under <c>data</c>; null leaves that member out. <b>Any</b>.</summary>
    public IQapiWritable? Data { get; } = data;
}
