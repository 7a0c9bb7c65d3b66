using System.Text;
using Qmp.Schema.Model;
using Qmp.Schema.Parsing;
using Qmp.Testing;

namespace Fuzz;

/// <summary>What the repository has of good inputs. Made once.</summary>
internal static class Corpus
{
    private static readonly Lazy<byte[][]> LazySessions = new(() =>
        [.. Directory.GetFiles(Repository.PathOf("tests", "sessions"), "*.qmp").Order(StringComparer.Ordinal).Select(File.ReadAllBytes)]);

    private static readonly Lazy<SchemaModel> LazyLive = new(() => Build([]));
    private static readonly Lazy<SchemaModel> LazyWhole = new(() => Build(["*"]));

    /// <summary>The recorded sessions.</summary>
    public static IReadOnlyList<byte[]> Sessions => LazySessions.Value;

    /// <summary>The schema, as far as it works.</summary>
    public static SchemaModel Live => LazyLive.Value;

    /// <summary>The schema with all that is still to come.</summary>
    public static SchemaModel Whole => LazyWhole.Value;

    /// <summary>What clients (<c>-></c>) or servers (<c>&lt;-</c>) said in the recordings, line by line.</summary>
    public static byte[][] Lines(string arrow) =>
        [.. Sessions.SelectMany(session => Encoding.UTF8.GetString(session).Split('\n'))
            .Where(line => line.TrimStart('1', '2', '3').StartsWith(arrow + " ", StringComparison.Ordinal))
            .Select(line => line[(line.IndexOf(' ') + 1)..])
            .Select(line => line.Replace("\"$TIMESTAMP\"", """{"seconds": 1, "microseconds": 2}""", StringComparison.Ordinal).Replace("\"$INT\"", "7", StringComparison.Ordinal))
            .Distinct().Select(Encoding.UTF8.GetBytes)];

    /// <summary>Texts as bytes.</summary>
    public static byte[][] Bytes(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    /// <summary>One of them.</summary>
    public static T Pick<T>(this Random random, IReadOnlyList<T> items) => items[random.Next(items.Count)];

    private static SchemaModel Build(string[] defined) => SchemaBuilder.Build(
        Repository.PathOf("schema", "qapi-schema.json"), path => File.Exists(path) ? File.ReadAllText(path) : null, defined);
}
