using System.Text.Json;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;

namespace Qmp.Client;

/// <summary>The reply to a command that succeeded. One thread at a time.</summary>
public sealed class QmpReply
{
    private readonly QapiDocument _message;
    private readonly string _command;
    private JsonElement? _value;

    internal QmpReply(string command, QapiDocument message, long sequence)
    {
        _command = command;
        _message = message;
        Sequence = sequence;
    }

    /// <summary>
    /// Place among all replies and events of the client, in the order in which they arrived:
    /// <see cref="QmpReceivedEvent.Sequence"/> counts along.
    /// </summary>
    public long Sequence { get; }

    /// <summary>What stands under <c>return</c>, whole.</summary>
    public JsonElement Value
    {
        get
        {
            if (_value is not { } value)
            {
                var reader = Reader();
                value = reader.ReadAny();
                _value = value;
            }

            return value;
        }
    }

    /// <summary>What stands under <c>return</c>, by a type of the schema. Members that the type lacks are passed over.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="read">Its reader.</param>
    /// <returns>The value.</returns>
    /// <exception cref="QmpProtocolException">It does not fit: the server's schema is another one. <see cref="Value"/> still
    /// has it.</exception>
    public T Read<T>(QapiItemReader<T> read)
    {
        var reader = Reader();
        try
        {
            return read(ref reader);
        }
        catch (QmpException e)
        {
            throw new QmpProtocolException($"the reply to '{_command}' does not fit its type: {e.Description}", e);
        }
    }

    private QapiReader Reader()
    {
        var reader = new QapiReader(_message, isLenient: true);
        reader.BeginObject();
        reader.Member("return"u8);
        return reader;
    }
}
