namespace Qmp.Tool.Top;

/// <summary>How fast one kind of request was in an interval.</summary>
/// <param name="PerSecond">Requests a second that succeeded.</param>
/// <param name="BytesPerSecond">Bytes a second.</param>
/// <param name="LatencyUs">Mean duration in microseconds; null where there was no request.</param>
/// <param name="Depth">How many were in flight on average.</param>
/// <param name="Failed">Requests that failed.</param>
internal readonly record struct RequestRates(double PerSecond, double BytesPerSecond, double? LatencyUs, double Depth, ulong Failed)
{
    public static RequestRates Of(RequestCounts done, double seconds) => new(
        done.Operations / seconds, done.Bytes / seconds,
        done.Operations + done.Failed > 0 && done.TotalTimeNs > 0 ? done.TotalTimeNs / 1000.0 / (done.Operations + done.Failed) : null,
        done.TotalTimeNs / 1e9 / seconds, done.Failed);
}

/// <summary>What a disk did in an interval.</summary>
internal sealed record DiskRates(DiskSample Disk, RequestRates Read, RequestRates Write, RequestRates Flush, RequestRates Discard)
{
    public double PerSecond => Read.PerSecond + Write.PerSecond + Flush.PerSecond + Discard.PerSecond;

    public double BytesPerSecond => Read.BytesPerSecond + Write.BytesPerSecond;

    /// <summary>Mean depth of the queue: by Little's law, from what the requests that ended took.</summary>
    public double Depth => Read.Depth + Write.Depth + Flush.Depth + Discard.Depth;

    public double LatencyUs => Math.Max(Read.LatencyUs ?? 0, Math.Max(Write.LatencyUs ?? 0, Flush.LatencyUs ?? 0));

    /// <summary>Compares two moments. A disk that is new began with nothing.</summary>
    public static List<DiskRates> Between(IReadOnlyList<DiskSample> before, IReadOnlyList<DiskSample> after, double seconds)
    {
        var earlier = before.ToLookup(disk => (disk.Name, disk.Node));
        return [.. after.Select(disk =>
        {
            var then = earlier[(disk.Name, disk.Node)].FirstOrDefault() ?? new DiskSample(disk.Name, disk.Node);
            return new DiskRates(disk,
                RequestRates.Of(disk.Read.Since(then.Read), seconds), RequestRates.Of(disk.Write.Since(then.Write), seconds),
                RequestRates.Of(disk.Flush.Since(then.Flush), seconds), RequestRates.Of(disk.Discard.Since(then.Discard), seconds));
        })];
    }

    /// <summary>The order of a table.</summary>
    /// <param name="disks">The disks.</param>
    /// <param name="order">One of <see cref="TopCommand.Orders"/>.</param>
    public static List<DiskRates> Sort(IEnumerable<DiskRates> disks, string order)
    {
        var byName = disks.OrderBy(disk => disk.Disk.Name, StringComparer.Ordinal).ThenBy(disk => disk.Disk.Node, StringComparer.Ordinal);
        return order switch
        {
            "iops" => [.. byName.OrderByDescending(disk => disk.PerSecond)],
            "throughput" => [.. byName.OrderByDescending(disk => disk.BytesPerSecond)],
            "latency" => [.. byName.OrderByDescending(disk => disk.LatencyUs)],
            "depth" => [.. byName.OrderByDescending(disk => disk.Depth)],
            _ => [.. byName],
        };
    }
}
