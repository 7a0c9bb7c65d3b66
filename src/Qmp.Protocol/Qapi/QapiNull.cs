namespace Qmp.Protocol.Qapi;

/// <summary>The only value of the schema's type <c>null</c>.</summary>
public readonly record struct QapiNull;
