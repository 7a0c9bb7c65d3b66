using System.Reflection;
using System.Text;
using System.Text.Json;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Schema.Tests;

/// <summary>
/// The arguments in every recorded session, read by the product's generated readers without a daemon: they accept what
/// the real daemon accepted, and refuse the rest with its texts.
/// </summary>
public class RecordedErrorsTests
{
    private static readonly string Folder = Path.Combine(TestContext.CurrentContext.TestDirectory, "sessions");

    private readonly QmpCommandTable _table = (QmpCommandTable)Activator.CreateInstance(
        typeof(QmpCommandTable), [.. typeof(QmpCommandTable).GetConstructors()[0].GetParameters().Select(p => Handlers.Of(p.ParameterType))])!;

    private static IEnumerable<string> Sessions() => Directory.EnumerateFiles(Folder, "*.qmp").Select(Path.GetFileNameWithoutExtension).Order()!;

    [TestCaseSource(nameof(Sessions))]
    public void AreThoseOfTheRealDaemon(string session)
    {
        JsonElement? request = null;
        foreach (var line in File.ReadLines(Path.Combine(Folder, session + ".qmp")))
        {
            var text = line.TrimStart("0123456789".ToCharArray());
            if (text.StartsWith("-> ", StringComparison.Ordinal))
            {
                request = Parse(text[3..]);
            }
            else if (request is { } sent && text.StartsWith("<- ", StringComparison.Ordinal) && Parse(text[3..]) is { } reply && !reply.TryGetProperty("event", out _))
            {
                Compare(sent, reply);
                request = null;
            }
        }
    }

    [Test]
    public void ThereAreMany() => Assert.That(Sessions().Count(), Is.GreaterThan(40));

    private void Compare(JsonElement request, JsonElement reply)
    {
        var error = reply.TryGetProperty("error", out var e) ? e : default;
        if (!request.TryGetProperty("execute", out var name)
            || name.ValueKind != JsonValueKind.String
            || !_table.TryGet(Encoding.UTF8.GetBytes(name.GetString()!), out var command)
            || (error.ValueKind == JsonValueKind.Object && error.GetProperty("class").GetString() == "CommandNotFound"))
        {
            return; // nothing was read
        }

        var arguments = request.TryGetProperty("arguments", out var a) ? a.GetRawText() : "{}";
        if (!arguments.StartsWith('{'))
        {
            return; // refused before anything was read
        }

        var recorded = error.ValueKind == JsonValueKind.Object ? error.GetProperty("desc").GetString() : null;
        try
        {
            _ = command.InvokeAsync(TestDocument.FromJson(arguments), null!);
            Assert.That(name.GetString(), Is.EqualTo("query-qmp-schema"), "the handler was not reached");
        }
        catch (QmpException refused)
        {
            Assert.That(refused.Message, Is.EqualTo(recorded), request.GetRawText());
        }
        catch (ReachedException)
        {
            // A property's value is checked by its object.
            Assert.That(IsOfReader(recorded) && name.GetString() != "qom-set", Is.False, $"{request.GetRawText()} was accepted, but is: {recorded}");
        }
    }

    private static bool IsOfReader(string? text) => text != null
        && ((text.StartsWith("Parameter '", StringComparison.Ordinal) && (text.EndsWith("' is missing", StringComparison.Ordinal) || text.EndsWith("' is unexpected", StringComparison.Ordinal) || text.Contains("does not accept value", StringComparison.Ordinal)))
            || text.StartsWith("Invalid parameter type for", StringComparison.Ordinal));

    private static JsonElement? Parse(string text)
    {
        try
        {
            return JsonDocument.Parse(text).RootElement is { ValueKind: JsonValueKind.Object } message ? message : null;
        }
        catch (JsonException)
        {
            return null; // sent to be refused
        }
    }

    /// <summary>Handlers of any module: each only says that it was reached.</summary>
    public class Handlers : DispatchProxy
    {
        public static object Of(Type module) => typeof(DispatchProxy)
            .GetMethod(nameof(Create), 2, Type.EmptyTypes)!.MakeGenericMethod(module, typeof(Handlers)).Invoke(null, null)!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => throw new ReachedException();
    }

    private sealed class ReachedException : Exception;
}
