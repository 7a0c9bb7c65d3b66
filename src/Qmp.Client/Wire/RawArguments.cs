using System.Text.Json;
using System.Text.Json.Nodes;
using Qmp.Protocol.Qapi;

namespace Qmp.Client;

/// <summary>Arguments that are JSON already.</summary>
internal sealed class RawArguments : IQapiWritable
{
    private readonly byte[] _json;

    public RawArguments(ReadOnlySpan<byte> json) => _json = json.ToArray();

    public RawArguments(JsonObject arguments)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            arguments.WriteTo(writer);
        }

        _json = buffer.WrittenSpan.ToArray();
    }

    public void Write(QapiWriter writer) => writer.RawValue(_json);
}

/// <summary>Arguments that were parsed.</summary>
internal sealed class ElementArguments(JsonElement arguments) : IQapiWritable
{
    public void Write(QapiWriter writer) => writer.Value(arguments);
}
