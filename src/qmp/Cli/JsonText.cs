using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Qmp.Tool.Cli;

/// <summary>JSON for standard output.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 1030 };

    private static readonly JsonWriterOptions Indented = OneLine with { Indented = true };

    /// <summary>One line, or several for people.</summary>
    public static string Of(JsonNode? node, bool indented = false) => Write(indented, writer =>
    {
        if (node is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            node.WriteTo(writer);
        }
    });

    /// <summary>One line, or several for people.</summary>
    public static string Of(JsonElement element, bool indented = false) => Write(indented, element.WriteTo);

    private static string Write(bool indented, Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, indented ? Indented : OneLine))
        {
            write(writer);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
