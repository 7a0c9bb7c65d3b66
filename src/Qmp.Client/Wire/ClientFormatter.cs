using System.Buffers;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace Qmp.Client;

/// <summary>The engine asks for one; the handler reads and writes messages by itself.</summary>
internal sealed class ClientFormatter : IJsonRpcMessageFormatter
{
    public JsonRpcMessage Deserialize(ReadOnlySequence<byte> contentBuffer) => throw new NotSupportedException();

    public void Serialize(IBufferWriter<byte> bufferWriter, JsonRpcMessage message) => throw new NotSupportedException();

    [Obsolete("Of StreamJsonRpc's own interface; not supported.")]
    public object GetJsonText(JsonRpcMessage message) => throw new NotSupportedException();
}
