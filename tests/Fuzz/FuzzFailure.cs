namespace Fuzz;

/// <summary>An input that should not do what it does.</summary>
/// <param name="Input">The input, as short as it could be made.</param>
/// <param name="Problem">What happens.</param>
/// <param name="Kind">Failures of one kind have the same cause, probably.</param>
internal sealed record FuzzFailure(byte[] Input, string Problem, string Kind);
