using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Objects;

/// <summary>One limit of a throttle group.</summary>
/// <param name="Average">Rate per second; 0 for no limit.</param>
/// <param name="Max">Rate per second in bursts; 0 for none.</param>
/// <param name="MaxLength">Seconds that a burst may last; a negative number counts as an enormous one.</param>
internal readonly record struct ThrottleBucket(long Average, long Max, long MaxLength);

/// <summary>All limits of a throttle group, those of bytes and of requests; <c>IopsSize</c> bytes count as one request. Immutable.</summary>
internal sealed record ThrottleConfig(
    ThrottleBucket BpsTotal, ThrottleBucket BpsRead, ThrottleBucket BpsWrite, ThrottleBucket IopsTotal, ThrottleBucket IopsRead, ThrottleBucket IopsWrite, long IopsSize)
{
    private const long RateMax = 1_000_000_000_000_000;

    private static readonly ThrottleBucket None = new(0, 0, 1);

    /// <summary>No limits.</summary>
    public static ThrottleConfig Unlimited { get; } = new(None, None, None, None, None, None, 0);

    private IEnumerable<ThrottleBucket> Buckets => [BpsTotal, BpsRead, BpsWrite, IopsTotal, IopsRead, IopsWrite];

    /// <summary>These limits, apart from those that are given.</summary>
    /// <exception cref="QmpException">The length of a burst is out of range.</exception>
    public ThrottleConfig With(ThrottleLimits limits) => new(
        Merge(BpsTotal, "bps-total", limits.BpsTotal, limits.BpsTotalMax, limits.BpsTotalMaxLength),
        Merge(BpsRead, "bps-read", limits.BpsRead, limits.BpsReadMax, limits.BpsReadMaxLength),
        Merge(BpsWrite, "bps-write", limits.BpsWrite, limits.BpsWriteMax, limits.BpsWriteMaxLength),
        Merge(IopsTotal, "iops-total", limits.IopsTotal, limits.IopsTotalMax, limits.IopsTotalMaxLength),
        Merge(IopsRead, "iops-read", limits.IopsRead, limits.IopsReadMax, limits.IopsReadMaxLength),
        Merge(IopsWrite, "iops-write", limits.IopsWrite, limits.IopsWriteMax, limits.IopsWriteMaxLength),
        limits.IopsSize ?? IopsSize);

    /// <summary>These limits, if they fit together.</summary>
    /// <exception cref="QmpException">They do not.</exception>
    public ThrottleConfig Checked()
    {
        if (IsBoth(b => b.Average) || IsBoth(b => b.Max))
        {
            throw new QmpException("bps/iops/max total values and read/write values cannot be used at the same time");
        }

        if (IopsSize != 0 && IopsTotal.Average == 0 && IopsRead.Average == 0 && IopsWrite.Average == 0)
        {
            throw new QmpException("iops size requires an iops value to be set");
        }

        foreach (var bucket in Buckets)
        {
            if (Fault(bucket) is { } fault)
            {
                throw new QmpException(fault);
            }
        }

        return this;
    }

    /// <summary>All limits as the schema has them.</summary>
    public ThrottleLimits ToLimits() => new()
    {
        BpsTotal = BpsTotal.Average,
        BpsTotalMax = BpsTotal.Max,
        BpsTotalMaxLength = BpsTotal.MaxLength,
        BpsRead = BpsRead.Average,
        BpsReadMax = BpsRead.Max,
        BpsReadMaxLength = BpsRead.MaxLength,
        BpsWrite = BpsWrite.Average,
        BpsWriteMax = BpsWrite.Max,
        BpsWriteMaxLength = BpsWrite.MaxLength,
        IopsTotal = IopsTotal.Average,
        IopsTotalMax = IopsTotal.Max,
        IopsTotalMaxLength = IopsTotal.MaxLength,
        IopsRead = IopsRead.Average,
        IopsReadMax = IopsRead.Max,
        IopsReadMaxLength = IopsRead.MaxLength,
        IopsWrite = IopsWrite.Average,
        IopsWriteMax = IopsWrite.Max,
        IopsWriteMaxLength = IopsWrite.MaxLength,
        IopsSize = IopsSize,
    };

    private static ThrottleBucket Merge(ThrottleBucket old, string name, long? average, long? max, long? maxLength) => maxLength is > uint.MaxValue
        ? throw new QmpException($"{name}-max-length value must be in the range [0, {uint.MaxValue}]")
        : new ThrottleBucket(average ?? old.Average, max ?? old.Max, maxLength ?? old.MaxLength);

    // Limits for all requests and limits for those of one direction.
    private bool IsBoth(Func<ThrottleBucket, long> rate) =>
        (rate(BpsTotal) != 0 && (rate(BpsRead) != 0 || rate(BpsWrite) != 0)) || (rate(IopsTotal) != 0 && (rate(IopsRead) != 0 || rate(IopsWrite) != 0));

    private static string? Fault(ThrottleBucket bucket) => bucket switch
    {
        { Average: < 0 or > RateMax } or { Max: < 0 or > RateMax } => $"bps/iops/max values must be within [0, {RateMax}]",
        { MaxLength: 0 } => "the burst length cannot be 0",
        { Max: 0, MaxLength: not 1 } => "burst length set without burst rate",
        { Max: 0 } => null,
        { MaxLength: < 0 } => "burst length too high for this burst rate",
        { Max: var max, MaxLength: var length } when length > RateMax / max => "burst length too high for this burst rate",
        { Average: 0 } => "bps_max/iops_max require corresponding bps/iops values",
        { Average: var average, Max: var max } when max < average => "bps_max/iops_max cannot be lower than bps/iops",
        _ => null,
    };
}
