using System.Globalization;

namespace Benchmarks.Daemons;

/// <summary>How often the threads of a process were put on a processor.</summary>
internal static class ContextSwitches
{
    /// <summary>Context switches per second of all threads that live through the time.</summary>
    public static async Task<double> PerSecondAsync(int processId, TimeSpan time)
    {
        Dictionary<string, long> before = Count(processId);
        await Task.Delay(time);
        return Count(processId).Sum(thread => before.TryGetValue(thread.Key, out long count) ? thread.Value - count : 0) / time.TotalSeconds;
    }

    private static Dictionary<string, long> Count(int processId)
    {
        var counts = new Dictionary<string, long>();
        foreach (string thread in Directory.GetDirectories($"/proc/{processId}/task"))
        {
            try
            {
                counts[thread] = File.ReadLines(Path.Combine(thread, "status"))
                    .Where(line => line.Contains("voluntary_ctxt_switches", StringComparison.Ordinal))
                    .Sum(line => long.Parse(line.Split(':')[1], CultureInfo.InvariantCulture));
            }
            catch (IOException)
            {
                // It has just ended.
            }
        }

        return counts;
    }
}
