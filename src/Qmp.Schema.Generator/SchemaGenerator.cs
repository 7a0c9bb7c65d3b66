using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;
using Qmp.Schema.Model;
using Qmp.Schema.Parsing;

namespace Qmp.Schema.Generator;

/// <summary>
/// Makes C# from the schema files among the project's AdditionalFiles. The entry file is <c>qapi-schema.json</c>, or what
/// the MSBuild property <c>QapiEntry</c> names. Another file is found beside the one that includes it, or by its name
/// alone wherever it is. <c>QapiDefines</c> lists the configuration symbols for <c>if</c>, or is <c>*</c> for all;
/// <c>QapiNamespace</c> names the namespace of what is generated (default: <c>Qmp.Protocol.Schema</c>). <c>QapiParts</c> says
/// what is generated: <c>types</c>, <c>server</c> (handler interfaces, tables), <c>client</c> (extension methods of
/// Qmp.Client, in the namespace <c>QapiClientNamespace</c>, by default the same one); by default the first two.
/// <c>QapiExternal</c> lists modules for which nothing is generated, because <c>Qmp.Protocol.Schema</c> has them.
/// </summary>
[Generator]
public sealed class SchemaGenerator : IIncrementalGenerator
{
    private static readonly DiagnosticDescriptor Problem = new(
        "QAPI001", "Schema error", "{0}", "Schema", DiagnosticSeverity.Error, isEnabledByDefault: true);

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var files = context.AdditionalTextsProvider
            .Where(static file => file.Path.EndsWith(".json", StringComparison.Ordinal))
            .Select(static (file, cancellation) => new SchemaText(SchemaLoader.Normalize(file.Path), file.GetText(cancellation)?.ToString() ?? ""))
            .Collect();
        var settings = context.AnalyzerConfigOptionsProvider.Select(static (options, _) => Settings.From(options.GlobalOptions));
        context.RegisterSourceOutput(files.Combine(settings), static (output, input) => Generate(output, input.Left, input.Right));
    }

    private static void Generate(SourceProductionContext output, ImmutableArray<SchemaText> files, Settings settings)
    {
        if (files.FirstOrDefault(file => file.Path.EndsWith("/" + settings.Entry, StringComparison.Ordinal)) is not { } entry)
        {
            return;
        }

        var texts = files.ToDictionary(file => file.Path, file => file.Text);
        try
        {
            var model = SchemaBuilder.Build(
                entry.Path, path => texts.TryGetValue(path, out var text) ? text : ByName(files, path), Settings.List(settings.Defines));
            foreach (var (name, source) in Emit(model, settings))
            {
                output.AddSource(name + ".g.cs", source);
            }
        }
        catch (SchemaException e)
        {
            var line = new LinePosition(Math.Max(0, e.Location.Line - 1), 0);
            output.ReportDiagnostic(Diagnostic.Create(
                Problem, Location.Create(e.Location.File, default, new LinePositionSpan(line, line)), e.Problem));
        }
    }

    private static IEnumerable<(string Name, string Source)> Emit(SchemaModel model, Settings settings)
    {
        var parts = Settings.List(settings.Parts);
        var external = Settings.List(settings.External);
        string[] ready = external.Length > 0 ? ["Qmp.Protocol.Schema"] : [];
        var types = new TargetNamespace(settings.Namespace, ready);
        var client = new TargetNamespace(settings.ClientNamespace, [settings.Namespace, "Qmp.Client", .. ready]);
        return (parts.Contains("types") ? EmitTypes(model, types, external, parts.Contains("client")) : [])
            .Concat(parts.Contains("server") ? EmitServer(model, types, external) : [])
            .Concat(parts.Contains("client") ? EmitClient(model, client, external) : []);
    }

    private static string? ByName(ImmutableArray<SchemaText> files, string path)
    {
        var name = path.Substring(path.LastIndexOf('/'));
        return files.FirstOrDefault(file => file.Path.EndsWith(name, StringComparison.Ordinal))?.Text;
    }

    private static IEnumerable<(string Name, string Source)> EmitClient(SchemaModel model, TargetNamespace ns, string[] external)
    {
        yield return ("QmpCommands", ClientEmitter.EmitCommands(ns, [.. model.Commands.Where(command => !external.Contains(command.Module))]));
        yield return ("QmpEventTypes", ClientEmitter.EmitEvents(ns, [.. model.Events.Where(@event => !external.Contains(@event.Module))]));
    }

    private static IEnumerable<(string Name, string Source)> EmitTypes(SchemaModel model, TargetNamespace ns, string[] external, bool isOpen)
    {
        foreach (var module in model.Types.Where(type => type.Module.Length > 0 && !external.Contains(type.Module)).GroupBy(type => type.Module))
        {
            var code = new CodeWriter(ns);
            foreach (var type in module)
            {
                switch (type)
                {
                    case EnumType @enum:
                        EnumEmitter.Emit(code, @enum, isOpen);
                        break;
                    case ObjectType @object:
                        ObjectEmitter.Emit(code, @object, CSharpNames.Type(@object), $"Type <c>{@object.Name}</c> of the schema.");
                        break;
                    case AlternateType alternate:
                        AlternateEmitter.Emit(code, alternate);
                        break;
                }
            }

            yield return (module.Key + ".types", code.ToString());
        }

        foreach (var module in model.Commands.Where(command => !external.Contains(command.Module)).GroupBy(command => command.Module))
        {
            yield return (module.Key + ".arguments", CommandEmitter.EmitArguments(ns, [.. module]));
        }

        yield return ("events.data", EventEmitter.EmitData(ns, [.. model.Events.Where(@event => !external.Contains(@event.Module))]));
    }

    private static IEnumerable<(string Name, string Source)> EmitServer(SchemaModel model, TargetNamespace ns, string[] external)
    {
        foreach (var module in model.Commands.Where(command => !external.Contains(command.Module)).GroupBy(command => command.Module))
        {
            yield return (module.Key + ".commands", CommandEmitter.EmitModule(ns, module.Key, [.. module]));
        }

        yield return ("QmpCommandTable", CommandEmitter.EmitTable(ns, model.Commands));
        yield return ("QmpEvents", EventEmitter.Emit(ns, [.. model.Events.Where(@event => !external.Contains(@event.Module))]));
        yield return ("QmpIntrospection", IntrospectionEmitter.Emit(ns, model));
    }

    private sealed record SchemaText(string Path, string Text);

    private sealed record Settings(string Entry, string Defines, string Namespace, string Parts, string ClientNamespace, string External)
    {
        public static Settings From(AnalyzerConfigOptions options)
        {
            var ns = Property(options, "QapiNamespace", "Qmp.Protocol.Schema");
            return new Settings(
                Path.GetFileName(Property(options, "QapiEntry", "qapi-schema.json")), Property(options, "QapiDefines", ""), ns,
                Property(options, "QapiParts", "types,server"), Property(options, "QapiClientNamespace", ns), Property(options, "QapiExternal", ""));
        }

        public static string[] List(string text) => text.Split([';', ',', ' '], StringSplitOptions.RemoveEmptyEntries);

        private static string Property(AnalyzerConfigOptions options, string name, string otherwise) =>
            options.TryGetValue("build_property." + name, out var value) && value.Length > 0 ? value : otherwise;
    }
}
