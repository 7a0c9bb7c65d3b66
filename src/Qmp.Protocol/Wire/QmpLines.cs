using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;

namespace Qmp.Protocol.Wire;

/// <summary>What a server sends without being asked, in QEMU's order of members.</summary>
public static class QmpLines
{
    /// <summary>Writes the greeting, which offers <c>oob</c>.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="version">What the server is.</param>
    public static void Greeting(QapiWriter writer, VersionInfo version)
    {
        writer.BeginObject();
        writer.Name("QMP"u8);
        writer.BeginObject();
        writer.Name("version"u8);
        version.Write(writer);
        writer.Name("capabilities"u8);
        writer.BeginList();
        writer.Value("oob"u8);
        writer.EndList();
        writer.EndObject();
        writer.EndObject();
    }

    /// <summary>The time that an event of this moment carries: microseconds since 1970, in UTC.</summary>
    public static long Now() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Writes an event.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="qmpEvent">The event.</param>
    /// <param name="microseconds">When it happened, since 1970.</param>
    public static void Event(QapiWriter writer, QmpEvent qmpEvent, long microseconds)
    {
        writer.BeginObject();
        writer.Name("timestamp"u8);
        writer.BeginObject();
        writer.Name("seconds"u8);
        writer.Value(microseconds / 1_000_000);
        writer.Name("microseconds"u8);
        writer.Value(microseconds % 1_000_000);
        writer.EndObject();
        writer.Name("event"u8);
        writer.Value(qmpEvent.Name);
        if (qmpEvent.Data != null)
        {
            writer.Name("data"u8);
            qmpEvent.Data.Write(writer);
        }

        writer.EndObject();
    }
}
