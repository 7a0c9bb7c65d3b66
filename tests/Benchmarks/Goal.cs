using System.Globalization;

namespace Benchmarks;

/// <summary>What a line of figures should reach.</summary>
internal sealed record Goal
{
    private readonly double _limit;
    private readonly bool _isRatio;
    private readonly bool _isLeast;

    private Goal(double limit, bool isRatio, bool isLeast) => (_limit, _isRatio, _isLeast) = (limit, isRatio, isLeast);

    /// <summary>At least this multiple of the peer's figure.</summary>
    public static Goal Ratio(double least) => new(least, isRatio: true, isLeast: true);

    /// <summary>At most this part of the peer's figure.</summary>
    public static Goal RatioAtMost(double most) => new(most, isRatio: true, isLeast: false);

    /// <summary>At most this, whatever the peer does.</summary>
    public static Goal AtMost(double most) => new(most, isRatio: false, isLeast: false);

    /// <param name="median">Ours.</param>
    /// <param name="ratio">Ours to the peer's; not a number where there is no peer.</param>
    public bool IsHeld(double median, double ratio)
    {
        double figure = _isRatio ? ratio : median;
        return _isLeast ? figure >= _limit : figure <= _limit;
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(_isLeast ? ">= " : "<= ")}{_limit}{(_isRatio ? "x" : "")}");
}
