using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;

namespace Qmp.Client;

/// <summary>An event that a server sent. Any thread.</summary>
public sealed class QmpReceivedEvent
{
    private readonly QapiDocument _message;
    private readonly Lazy<JsonElement> _data;

    internal QmpReceivedEvent(QapiDocument message, long sequence)
    {
        _message = message;
        _data = new Lazy<JsonElement>(ReadData);
        Sequence = sequence;
        var reader = new QapiReader(message, isLenient: true);
        var outer = reader.BeginObject();
        Name = reader.Member("event"u8).ReadString();
        if (reader.Optional("timestamp"u8))
        {
            reader.BeginObject();
            var seconds = reader.Optional("seconds"u8) ? reader.ReadInt64() : -1;
            var microseconds = reader.Optional("microseconds"u8) ? reader.ReadInt64() : -1;
            if (seconds is >= 0 and < 253_402_300_800 && microseconds is >= 0 and < 1_000_000)
            {
                Timestamp = DateTimeOffset.FromUnixTimeSeconds(seconds).AddMicroseconds(microseconds);
            }
        }

        reader.EndObject(outer);
    }

    /// <summary>The name, such as <c>BLOCK_EXPORT_DELETED</c>.</summary>
    public string Name { get; }

    /// <summary>When it happened, by the server's clock; null where the server does not know.</summary>
    public DateTimeOffset? Timestamp { get; }

    /// <summary>
    /// Place among all replies and events of the client, in the order in which they arrived;
    /// <see cref="QmpReply.Sequence"/> counts along.
    /// </summary>
    public long Sequence { get; }

    /// <summary>What stands under <c>data</c>, whole; <see cref="JsonValueKind.Undefined"/> where the event has none.</summary>
    public JsonElement Data => _data.Value;

    /// <summary>Whether it is of this kind, and its data then.</summary>
    /// <typeparam name="T">Type of the data.</typeparam>
    /// <param name="type">The kind, one of <c>QmpEventTypes</c>.</param>
    /// <param name="data">The data.</param>
    /// <returns>True when it is.</returns>
    /// <exception cref="QmpProtocolException">The data does not fit the type.</exception>
    public bool Is<T>(QmpEventType<T> type, [MaybeNullWhen(false)] out T data)
    {
        if (Name != type.Name)
        {
            data = default;
            return false;
        }

        try
        {
            var reader = new QapiReader(_message, isLenient: true);
            reader.BeginObject();
            data = type.Read(ref reader.Member("data"u8));
            return true;
        }
        catch (QmpException e)
        {
            throw new QmpProtocolException($"the data of event '{Name}' does not fit its type: {e.Description}", e);
        }
    }

    /// <summary>A string of the data; null where there is none of this name.</summary>
    internal string? Text(ReadOnlySpan<byte> member)
    {
        var reader = new QapiReader(_message, isLenient: true);
        reader.BeginObject();
        if (!reader.Optional("data"u8) || reader.Kind != QapiKind.Object)
        {
            return null;
        }

        reader.BeginObject();
        return reader.Optional(member) && reader.Kind == QapiKind.String ? reader.ReadString() : null;
    }

    private JsonElement ReadData()
    {
        var reader = new QapiReader(_message, isLenient: true);
        reader.BeginObject();
        return reader.Optional("data"u8) ? reader.ReadAny() : default;
    }
}

/// <summary>An event with its data typed.</summary>
/// <typeparam name="T">Type of the data.</typeparam>
/// <param name="Event">The event.</param>
/// <param name="Data">Its data.</param>
public sealed record QmpReceivedEvent<T>(QmpReceivedEvent Event, T Data)
{
    /// <summary>When it happened, by the server's clock; null where the server does not know.</summary>
    public DateTimeOffset? Timestamp => Event.Timestamp;
}
