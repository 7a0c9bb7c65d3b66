using StreamJsonRpc.Protocol;

namespace Qmp.Client;

/// <summary>
/// A reply or a refusal, as the engine carries it to its caller. A refusal is a result to it as well: its own errors end
/// in exceptions of its own.
/// </summary>
internal sealed class ClientResult(QmpReply? reply, QmpCommandException? refusal) : JsonRpcResult
{
    public QmpReply Outcome => refusal is null ? reply! : throw refusal;

    public override T GetResult<T>() => (T)(object)this;
}
