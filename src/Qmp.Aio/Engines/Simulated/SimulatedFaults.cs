namespace Qmp.Aio;

/// <summary>
/// What may go wrong, and how slow things are. Probabilities are from 0 to 1, times in virtual nanoseconds. The safety
/// phase of a run sets them, the liveness phase calls <see cref="Stop"/>: then everything must finish.
/// </summary>
public sealed class SimulatedFaults
{
    /// <summary>Shortest operation.</summary>
    public long MinLatencyNs { get; set; } = 1_000;

    /// <summary>Mean of what is added to it; the distribution has an exponential tail.</summary>
    public long MeanExtraLatencyNs { get; set; } = 20_000;

    /// <summary>How often an operation takes <see cref="StallNs"/> longer.</summary>
    public double StallRate { get; set; }

    /// <summary>Length of a stall.</summary>
    public long StallNs { get; set; } = 50_000_000;

    /// <summary>How often an operation fails with EIO. A write that failed may be there in part.</summary>
    public double ErrorRate { get; set; }

    /// <summary>How often a read or write transfers only part of what was asked.</summary>
    public double ShortRate { get; set; }

    /// <summary>No more faults: errors, short transfers and stalls end; latency stays.</summary>
    public void Stop() => StallRate = ErrorRate = ShortRate = 0;
}
