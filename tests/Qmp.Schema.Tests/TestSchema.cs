using Qmp.Schema.Model;
using Qmp.Schema.Parsing;

namespace Qmp.Schema.Tests;

/// <summary>Schemas in memory.</summary>
internal static class TestSchema
{
    public static SchemaModel Build(string text, params string[] defined) =>
        BuildFiles(new Dictionary<string, string> { ["s.json"] = text }, defined);

    public static SchemaModel BuildFiles(IReadOnlyDictionary<string, string> files, params string[] defined) =>
        SchemaBuilder.Build("s.json", path => files.GetValueOrDefault(path), defined);

    /// <summary>The schema of the product: what works, and what works under some more conditions.</summary>
    public static SchemaModel Product(params string[] defined) => SchemaBuilder.Build(
        Path.Combine(TestContext.CurrentContext.TestDirectory, "schema/qapi-schema.json").Replace('\\', '/'),
        path => File.Exists(path) ? File.ReadAllText(path) : null,
        defined);

    /// <summary>The schema of the product with all that is still to come.</summary>
    public static SchemaModel WholeProduct() => Product([.. Product().Conditions.Keys]);
}
