namespace Qmp.Tool.Top;

/// <summary>What was done of one kind of request until a moment.</summary>
internal readonly record struct RequestCounts(ulong Operations, ulong Bytes, ulong TotalTimeNs, ulong Failed)
{
    /// <summary>What was done since an earlier moment. Counts that became smaller began anew.</summary>
    public RequestCounts Since(RequestCounts earlier) =>
        Operations < earlier.Operations || Bytes < earlier.Bytes || TotalTimeNs < earlier.TotalTimeNs || Failed < earlier.Failed ? this
        : new(Operations - earlier.Operations, Bytes - earlier.Bytes, TotalTimeNs - earlier.TotalTimeNs, Failed - earlier.Failed);
}

/// <summary>A disk at one moment. What the server does not tell is null.</summary>
internal sealed record DiskSample(string Name, string Node)
{
    public string? Loop { get; init; }

    /// <summary>Requests in flight at the moment.</summary>
    public uint? InFlight { get; init; }

    /// <summary>Whether a drained section holds its requests.</summary>
    public bool IsHeld { get; init; }

    public RequestCounts Read { get; init; }

    public RequestCounts Write { get; init; }

    public RequestCounts Flush { get; init; }

    public RequestCounts Discard { get; init; }
}
