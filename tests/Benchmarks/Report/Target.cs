using System.Globalization;

namespace Benchmarks.Report;

/// <summary>What a row should reach.</summary>
internal sealed record Target
{
    private readonly double _limit;
    private readonly bool _isLeast;

    private Target(double limit, bool isRatio, bool isLeast) => (_limit, IsRatio, _isLeast) = (limit, isRatio, isLeast);

    /// <summary>Whether the ratio decides, or our own figure.</summary>
    public bool IsRatio { get; }

    /// <summary>At least this multiple of the other figure.</summary>
    public static Target Ratio(double least) => new(least, isRatio: true, isLeast: true);

    /// <summary>At most this part of the other figure.</summary>
    public static Target RatioAtMost(double most) => new(most, isRatio: true, isLeast: false);

    /// <summary>At least this, whatever the other does.</summary>
    public static Target AtLeast(double least) => new(least, isRatio: false, isLeast: true);

    /// <summary>At most this, whatever the other does.</summary>
    public static Target AtMost(double most) => new(most, isRatio: false, isLeast: false);

    /// <summary>The figure that decides: medians of ours, or of the ratio.</summary>
    public double FigureOf(Row row) => (IsRatio ? row.Ratio : row.Ours)?.Median ?? double.NaN;

    /// <summary>How far a row is on the good side of the limit, as a factor: below 1 it misses. Not a number if not measured.</summary>
    public double HeadroomOf(Row row)
    {
        double figure = FigureOf(row);
        if (!_isLeast && (figure == 0 || _limit == 0))
        {
            // Nothing at all is as good as it can be, however small the limit.
            return figure == 0 ? double.PositiveInfinity : 0;
        }

        return _isLeast ? figure / _limit : _limit / figure;
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(_isLeast ? ">=" : "<=")} {_limit:0.###}{(IsRatio ? "x" : "")}");
}
