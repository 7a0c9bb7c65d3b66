using System.Globalization;
using System.Text;
using System.Text.Json;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Wire;

namespace Qmp.Server.Objects;

/// <summary>A property of a type of objects.</summary>
/// <param name="name">Its name.</param>
/// <param name="type">Its type, as listed.</param>
/// <param name="get">Reads it; null when it cannot be read. <b>Main</b>.</param>
/// <param name="set">Sets it or throws a <see cref="QmpException"/>; null when it cannot be set. <b>Main</b>.</param>
internal sealed class QomProperty(
    string name, string type, Func<QomObject, JsonElement>? get, Action<QomObject, JsonElement>? set = null)
{
    public string Name { get; } = name;

    public string Type { get; } = type;

    public Func<QomObject, JsonElement>? Get { get; } = get;

    public Action<QomObject, JsonElement>? Set { get; } = set;

    /// <summary>A property of any type that the schema knows how to read and write.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">Its type, as listed.</param>
    /// <param name="read">Takes a value that was given; what it throws names the property.</param>
    /// <param name="write">Writes a value.</param>
    /// <param name="get">The value.</param>
    /// <param name="set">Takes a new value.</param>
    public static QomProperty Of<T, TValue>(
        string name, string type, QapiItemReader<TValue> read, Action<QapiWriter, TValue> write, Func<T, TValue> get, Action<T, TValue> set)
        where T : QomObject =>
        new(name, type, o => ToElement(write, get((T)o)), (o, value) => set((T)o, Read(name, value, read)));

    /// <summary>A property of type <c>int</c>.</summary>
    public static QomProperty Integer<T>(string name, Func<T, long> get, Action<T, long> set)
        where T : QomObject =>
        Of(name, "int", static (ref reader) => reader.ReadInt64(), static (writer, v) => writer.Value(v), get, set);

    /// <summary>A property of type <c>bool</c>.</summary>
    public static QomProperty Boolean<T>(string name, Func<T, bool> get, Action<T, bool> set)
        where T : QomObject =>
        Of(name, "bool", static (ref reader) => reader.ReadBoolean(), static (writer, v) => writer.Value(v), get, set);

    /// <summary>A property of type <c>string</c>; null reads as an empty one.</summary>
    public static QomProperty Text<T>(string name, Func<T, string?> get, Action<T, string> set)
        where T : QomObject =>
        Of<T, string>(name, "string", static (ref reader) => reader.ReadString(), static (writer, v) => writer.Value(v), o => get(o) ?? string.Empty, set);

    public static JsonElement FromInt64(long value) =>
        JsonElement.Parse(value.ToString(CultureInfo.InvariantCulture));

    public static JsonElement FromString(string value) => JsonElement.Parse($"\"{JsonEncodedText.Encode(value)}\"");

    private static JsonElement ToElement<TValue>(Action<QapiWriter, TValue> write, TValue value)
    {
        QapiWriter writer = new();
        write(writer, value);
        return JsonElement.Parse(writer.WrittenSpan);
    }

    // As the only member of an object, so that errors name the property.
    private static TValue Read<TValue>(string name, JsonElement value, QapiItemReader<TValue> read)
    {
        QapiReader reader = new(JsonText.Parse($"{{\"{name}\":{value.GetRawText()}}}"));
        var outer = reader.BeginObject();
        var result = read(ref reader.Member(Encoding.UTF8.GetBytes(name)));
        reader.EndObject(outer);
        return result;
    }
}
