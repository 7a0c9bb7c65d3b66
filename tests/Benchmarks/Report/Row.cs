namespace Benchmarks.Report;

/// <summary>One line of the table.</summary>
/// <param name="Goal">The key of its goal in <see cref="Goals"/>.</param>
/// <param name="Name">What is measured.</param>
/// <param name="Unit">Of its figures.</param>
/// <param name="Target">What it should reach; null where it only informs.</param>
/// <param name="Other">What ours is compared with.</param>
internal sealed record Row(string Goal, string Name, string Unit, Target? Target = null, string Other = Row.Peer)
{
    public const string Peer = "peer";

    private readonly List<double> _ours = [];
    private readonly List<double> _theirs = [];

    /// <summary>Why there are no figures, if there are none.</summary>
    public string? Missing { get; set; }

    public Figures? Ours => _ours.Count > 0 ? new(_ours) : null;

    public Figures? Theirs => _theirs.Count > 0 ? new(_theirs) : null;

    /// <summary>Ours to the other's, round by round: what disturbs a round disturbs both.</summary>
    public Figures? Ratio => _ours.Count > 0 && _theirs.Count == _ours.Count && !_theirs.Contains(0)
        ? new([.. _ours.Zip(_theirs, (mine, other) => mine / other)])
        : null;

    /// <summary>Null where there is no target, or nothing was measured.</summary>
    public bool? IsHeld => Target?.HeadroomOf(this) is double headroom && !double.IsNaN(headroom) ? headroom >= 1 : null;

    public string Verdict => Target == null ? "" : IsHeld switch
    {
        true => "held",
        false => "MISSED",
        null => "not measured",
    };

    /// <param name="ours">Our figure of one round.</param>
    /// <param name="theirs">The other's; null where there is no other.</param>
    public void Add(double ours, double? theirs)
    {
        _ours.Add(ours);
        if (theirs is double value)
        {
            _theirs.Add(value);
        }
    }
}
