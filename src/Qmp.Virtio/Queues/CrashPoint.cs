using System.Diagnostics;

namespace Qmp.Virtio.Queues;

/// <summary>
/// Marks the places between two stores where the process may be killed and a later one must understand what it finds.
/// Tests stop there, one place after the other; release builds contain nothing of it.
/// </summary>
internal static class CrashPoint
{
    /// <summary>Called at each place on this thread; a test throws from it.</summary>
    [ThreadStatic]
    internal static Action? Hook;

    /// <summary>The process may be killed here.</summary>
    [Conditional("DEBUG")]
    public static void Reached() => Hook?.Invoke();
}
