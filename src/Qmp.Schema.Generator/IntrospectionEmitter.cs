using Qmp.Schema.Introspection;
using Qmp.Schema.Model;

namespace Qmp.Schema.Generator;

/// <summary>The answer of <c>query-qmp-schema</c> as a constant.</summary>
internal static class IntrospectionEmitter
{
    public static string Emit(TargetNamespace ns, SchemaModel model)
    {
        var code = new CodeWriter(ns);
        code.Line();
        code.Line("/// <summary>What <c>query-qmp-schema</c> answers.</summary>");
        code.Open("public sealed class QmpIntrospection : IQapiWritable");
        code.Line("/// <summary>The answer.</summary>");
        code.Line("public static QmpIntrospection Instance { get; } = new();");
        code.Line();
        code.Line("/// <summary>The answer as one line of JSON.</summary>");
        code.Line($"public static global::System.ReadOnlySpan<byte> Json => {CSharpNames.Literal(Introspector.Describe(model))}u8;");
        code.Line();
        code.Line("/// <inheritdoc/>");
        code.Line("public void Write(QapiWriter writer) => writer.Json(Json);");
        code.Close();
        return code.ToString();
    }
}
