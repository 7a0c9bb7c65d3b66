using System.Buffers;
using Qmp.Protocol.Qapi;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace Qmp.Protocol.Wire;

/// <summary>
/// Bytes of QMP to messages of StreamJsonRpc and back. <c>execute</c>, <c>exec-oob</c>, <c>arguments</c> and <c>id</c>
/// become a <see cref="QmpRequest"/>; <see cref="QmpResult"/> and <see cref="QmpError"/> become lines in QEMU's order of
/// members. Not thread-safe.
/// </summary>
/// <param name="isPretty">Whether output has a line per member.</param>
public sealed class QmpMessageFormatter(bool isPretty = false) : IJsonRpcMessageFormatter
{
    private readonly QapiDocumentPool _documents = new();
    private readonly Stack<QmpRequest> _free = new();
    private readonly QapiWriter _writer = new(isPretty);
    private long _lastNumber;

    /// <summary>Whether output has a line per member.</summary>
    public bool IsPretty { get; } = isPretty;

    /// <summary>Whether <c>exec-oob</c> is known: from the moment when the client has enabled it.</summary>
    public bool IsOobEnabled { get; set; }

    internal QapiDocumentPool Documents => _documents;

    /// <inheritdoc/>
    /// <remarks>Never throws: what is no JSON comes back as a request that carries its error.</remarks>
    public JsonRpcMessage Deserialize(ReadOnlySequence<byte> contentBuffer)
    {
        var reader = new JsonMessageReader();
        foreach (var segment in contentBuffer)
        {
            if (reader.TryRead(segment.Span, out _, _documents, out var document, out var error))
            {
                return NewRequest(document, error);
            }
        }

        return NewRequest(null, "JSON parse error, premature EOI");
    }

    /// <inheritdoc/>
    public void Serialize(IBufferWriter<byte> bufferWriter, JsonRpcMessage message)
    {
        _writer.Reset();
        Serialize(_writer, message);
        bufferWriter.Write(_writer.WrittenSpan);
    }

    /// <summary>Not supported: obsolete in StreamJsonRpc, and arguments may be secrets.</summary>
    /// <param name="message">Ignored.</param>
    /// <returns>Nothing.</returns>
    /// <exception cref="NotSupportedException">Always.</exception>
    [Obsolete("Of StreamJsonRpc's own interface; not supported.")]
    public object GetJsonText(JsonRpcMessage message) => throw new NotSupportedException();

    /// <summary>A request for what the framer found; it owns the document.</summary>
    internal QmpRequest NewRequest(QapiDocument? document, string? error)
    {
        if (!_free.TryPop(out var request))
        {
            request = new QmpRequest();
        }

        request.Begin(++_lastNumber, document, error, IsOobEnabled);
        return request;
    }

    /// <summary>Takes back a request whose reply has been written.</summary>
    internal void Recycle(QmpRequest request)
    {
        if (request.End() is { } document)
        {
            _documents.Return(document);
        }

        if (_free.Count < 16)
        {
            _free.Push(request);
        }
    }

    /// <summary>Writes one line without its end.</summary>
    internal static void Serialize(QapiWriter writer, JsonRpcMessage message)
    {
        writer.BeginObject();
        switch (message)
        {
            case QmpResult result:
                writer.Name("return"u8);
                if (result.Value != null)
                {
                    result.Value.Write(writer);
                }
                else
                {
                    writer.BeginObject();
                    writer.EndObject();
                }

                WriteId(writer, result.Request);
                break;
            case QmpError error:
                WriteId(writer, error.Request);
                WriteError(writer, error.ErrorClass, error.Description);
                break;
            case JsonRpcError error:
                WriteError(writer, ErrorClass.GenericError, error.Error?.Message ?? "internal error");
                break;
            default:
                throw new NotSupportedException($"QMP has no message for {message.GetType().Name}.");
        }

        writer.EndObject();
    }

    private static void WriteId(QapiWriter writer, QmpRequest? request)
    {
        if (request is { IdNode: >= 0, Document: { } document })
        {
            writer.Name("id"u8);
            writer.Value(document, request.IdNode);
        }
    }

    private static void WriteError(QapiWriter writer, ErrorClass errorClass, string description)
    {
        writer.Name("error"u8);
        writer.BeginObject();
        writer.Name("class"u8);
        writer.Value(WireName(errorClass));
        writer.Name("desc"u8);
        writer.Value(description);
        writer.EndObject();
    }

    private static ReadOnlySpan<byte> WireName(ErrorClass errorClass) => errorClass switch
    {
        ErrorClass.CommandNotFound => "CommandNotFound"u8,
        ErrorClass.DeviceNotActive => "DeviceNotActive"u8,
        ErrorClass.DeviceNotFound => "DeviceNotFound"u8,
        ErrorClass.KVMMissingCap => "KVMMissingCap"u8,
        _ => "GenericError"u8,
    };
}
