using Qmp.Protocol.Qapi;
using StreamJsonRpc.Protocol;

namespace Qmp.Protocol.Wire;

/// <summary>The reply of a command that succeeded.</summary>
public sealed class QmpResult : JsonRpcResult
{
    internal QmpResult(QmpRequest request) => Request = request;

    /// <summary>What it answers.</summary>
    public QmpRequest Request { get; }

    /// <summary>What stands under <c>return</c>; null for <c>{}</c>.</summary>
    public IQapiWritable? Value { get; internal set; }
}
