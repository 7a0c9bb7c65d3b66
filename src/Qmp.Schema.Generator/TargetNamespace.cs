namespace Qmp.Schema.Generator;

/// <summary>Where generated code stands, and where the types are that it finds ready.</summary>
internal sealed record TargetNamespace(string Name, params string[] Used);
