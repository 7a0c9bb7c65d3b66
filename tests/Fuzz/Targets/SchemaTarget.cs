using System.Text;
using System.Text.Json;
using Qmp.Schema;
using Qmp.Schema.Introspection;
using Qmp.Schema.Manual;
using Qmp.Schema.Parsing;
using Qmp.Testing;

namespace Fuzz;

/// <summary>Schema files: what the parser takes has an introspection and a manual, what it does not has an error with a line.</summary>
internal sealed class SchemaTarget : FuzzTarget
{
    private static readonly byte[][] Definitions =
        [.. Directory.GetFiles(Repository.PathOf("schema"), "*.json").Concat(Directory.GetFiles(Repository.PathOf("tests", "Qmp.Schema.Tests", "Generated"), "*.json"))
            .Order(StringComparer.Ordinal).SelectMany(path => File.ReadAllText(path).Split("\n\n##\n")).Where(text => text.Length < 6000)
            .Select(text => Encoding.UTF8.GetBytes((text.StartsWith("#", StringComparison.Ordinal) ? "##\n" : "") + text + "\n"))];

    public override string Name => "schema";

    public override string Description => "schema files, their introspection and their manual";

    public override IReadOnlyList<byte[]> Seeds => Definitions;

    public override IReadOnlyList<byte[]> Tokens { get; } = Corpus.Bytes(
        "{", "}", "[", "]", ":", ",", "'", "\n", "#", "##\n", "# @E:\n", "# @a: x\n", " ", "true", "false", "'enum'", "'struct'", "'union'", "'alternate'", "'command'", "'event'",
        "'data'", "'base'", "'discriminator'", "'returns'", "'boxed'", "'if'", "'features'", "'gen'", "'include'", "'pragma'", "'s.json'", "'E'", "'S'", "'U'", "'*a'", "'a'", "'b'",
        "'int'", "'str'", "'type'", "'name'", "'all'", "'not'", "'any'", "'conditions'", "'X'", "{ 'pragma': { 'conditions': { 'X': 'later' } } }\n", "# = T\n", "# Example:\n",
        "#     -> {}\n", "# Features:\n", "# .x\n", "# Returns: x\n", "# Errors: x\n", "# Since: 1.0\n", "{ 'enum': 'E', 'data': [ 'a' ] }\n", "{ 'struct': 'S', 'data': { 'e': 'E' } }\n",
        "{ 'union': 'U', 'base': { 'e': 'E' }, 'discriminator': 'e', 'data': { 'a': 'S' } }\n", "{ 'alternate': 'A', 'data': { 'a': 'str', 'b': 'S' } }\n",
        "{ 'command': 'c', 'data': { '*a': 'E' }, 'returns': [ 'S' ] }\n", "{ 'event': 'EV', 'data': { 'a': 'int' } }\n", "'data': {", "\\", "\0", "é", "'allow-oob': true", "'E', 'E'");

    public override byte[] Generate(Random random)
    {
        var text = new List<byte>();
        if (random.Next(2) == 0)
        {
            text.AddRange("{ 'pragma': { 'doc-required': false } }\n"u8);
        }

        for (var i = random.Next(6); i >= 0; i--)
        {
            text.AddRange(random.Next(3) == 0 ? Definitions[random.Next(Definitions.Length)] : random.Pick(Tokens));
        }

        return [.. text];
    }

    public override void Check(byte[] input, Random random)
    {
        var text = Encoding.UTF8.GetString(input);
        try
        {
            var model = SchemaBuilder.Build("s.json", Read, []);
            using var introspection = JsonDocument.Parse(Introspector.Describe(model, random.Next(2) == 0));
            Holds(introspection.RootElement.ValueKind == JsonValueKind.Array, "introspection is no array");
            var manual = ReferenceManual.Load("s.json", Read);
            _ = manual.Examples();
            Holds(manual.Html().Length > 0 && manual.ManPage("2026-01-31").Length > 0, "an empty manual");
        }
        catch (SchemaException e)
        {
            Holds(e.Location.Line >= 0 && e.Message.Contains(": ", StringComparison.Ordinal), $"an error without a place\n  {e.Message}");
        }
        catch (FormatException e) when (e.Message.StartsWith("s.json:", StringComparison.Ordinal))
        {
            // A condition that nothing else asks for, seen from the other side.
        }

        string? Read(string path) => path == "s.json" ? text : null;
    }
}
