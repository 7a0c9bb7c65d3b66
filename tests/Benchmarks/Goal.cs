using System.Globalization;

namespace Benchmarks;

/// <summary>What a line of figures should reach.</summary>
internal sealed record Goal
{
    private readonly double _limit;
    private readonly bool _isRatio;

    private Goal(double limit, bool isRatio) => (_limit, _isRatio) = (limit, isRatio);

    /// <summary>At least this multiple of the peer's figure.</summary>
    public static Goal Ratio(double least) => new(least, isRatio: true);

    /// <summary>At most this, whatever the peer does.</summary>
    public static Goal AtMost(double most) => new(most, isRatio: false);

    /// <param name="median">Ours.</param>
    /// <param name="ratio">Ours to the peer's; not a number where there is no peer.</param>
    public bool IsHeld(double median, double ratio) => _isRatio ? ratio >= _limit : median <= _limit;

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(_isRatio ? ">= " : "<= ")}{_limit}{(_isRatio ? "x" : "")}");
}
