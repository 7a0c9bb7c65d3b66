using StreamJsonRpc.Protocol;

namespace Qmp.Protocol.Wire;

/// <summary>The reply of a command that failed: class and text, nothing else of the exception.</summary>
public sealed class QmpError : JsonRpcError
{
    internal QmpError(QmpRequest? request, ErrorClass errorClass, string description)
    {
        Request = request;
        ErrorClass = errorClass;
        Description = description;
        RequestId = request?.RequestId ?? default;
        Error = new ErrorDetail { Message = description };
    }

    /// <summary>What it answers; null when the engine made it, which knows only the number.</summary>
    public QmpRequest? Request { get; internal set; }

    /// <summary>The class.</summary>
    public ErrorClass ErrorClass { get; }

    /// <summary>The text.</summary>
    public string Description { get; }
}
