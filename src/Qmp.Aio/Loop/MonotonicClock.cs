using System.Diagnostics;

namespace Qmp.Aio;

/// <summary>The real clock of loops.</summary>
internal static class MonotonicClock
{
    // On Linux the runtime's timestamps are those of CLOCK_MONOTONIC, in nanoseconds.
    public static long NowNs => Stopwatch.Frequency == 1_000_000_000
        ? Stopwatch.GetTimestamp()
        : (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));
}
