using System.Diagnostics.CodeAnalysis;

namespace Simulation;

/// <summary>Something that must never happen did.</summary>
internal sealed class SimulationFailure(string message) : Exception(message)
{
    public static void Unless([DoesNotReturnIf(false)] bool holds, string message)
    {
        if (!holds)
        {
            throw new SimulationFailure(message);
        }
    }
}
