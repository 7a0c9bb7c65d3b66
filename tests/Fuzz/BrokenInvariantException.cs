namespace Fuzz;

/// <summary>What must hold for any input does not hold for this one.</summary>
/// <param name="message">What it is.</param>
internal sealed class BrokenInvariantException(string message) : Exception(message);
