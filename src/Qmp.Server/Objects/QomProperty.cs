using System.Globalization;
using System.Text.Json;
using Qmp.Protocol;

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

    /// <summary>A property of type <c>int</c>.</summary>
    public static QomProperty Integer<T>(string name, Func<T, long> get, Action<T, long> set)
        where T : QomObject =>
        new(name, "int", o => FromInt64(get((T)o)), (o, value) => set((T)o, ToInt64(value, name)));

    public static JsonElement FromInt64(long value) =>
        JsonElement.Parse(value.ToString(CultureInfo.InvariantCulture));

    public static JsonElement FromString(string value) => JsonElement.Parse($"\"{JsonEncodedText.Encode(value)}\"");

    private static long ToInt64(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)
            && value.GetRawText().AsSpan().IndexOfAny('.', 'e', 'E') < 0
            ? number
            : throw new QmpException($"Invalid parameter type for '{name}', expected: integer");
}
