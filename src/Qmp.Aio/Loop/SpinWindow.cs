namespace Qmp.Aio;

/// <summary>
/// Judges the spins of a loop, a window of them together. They go on while at least half of them catch their work and all
/// of them together take no more than <see cref="WorthOfMax"/> of the longest spin per catch. Else there is a pause, and a
/// longer one each time. <b>Loop</b>.
/// </summary>
internal struct SpinWindow
{
    /// <summary>Spins that are judged together. A catch now and then is luck, a miss now and then is a preemption.</summary>
    private const int Window = 32;

    // 24 us of the default 32. A guest that sends its next request at once is back after 18 us, also where waking up takes
    // long; one with 20 000 requests a second takes longer, gains nothing, and pays twice the time of the processor.
    private const double WorthOfMax = 0.75;

    /// <summary>Sleeps without a spin: first and longest pause.</summary>
    private const int PauseFirst = 64;
    private const int PauseMax = 4096;

    /// <summary>The first spin after a pause in nanoseconds, unless the limit is shorter: the default limit is tried at once.</summary>
    private const long TrialNs = 50_000;

    /// <summary>Spins that would be shorter become a pause.</summary>
    private const long LeastNs = 4000;

    private long _spinNs;
    private long _spentNs;
    private int _spins;
    private int _misses;
    private int _pause;
    private int _pauseLeft;

    /// <summary>Whether the coming sleep is one of a pause; counts it.</summary>
    public bool TakePause()
    {
        if (_pauseLeft == 0)
        {
            return false;
        }

        _pauseLeft--;
        return true;
    }

    /// <summary>Time to spin now, in nanoseconds, at most <paramref name="max"/>.</summary>
    public long SpinNs(long max)
    {
        if (_spinNs == 0 || _spinNs > max)
        {
            _spinNs = Math.Min(TrialNs, max);
        }

        return _spinNs;
    }

    /// <summary>A spin of <paramref name="spentNs"/> has ended: with work that it <paramref name="caught"/>, or in sleep.</summary>
    public void Note(bool caught, long spentNs, long max, long shrink)
    {
        _spins++;
        _misses += caught ? 0 : 1;
        _spentNs += spentNs;

        // What the window can catch at most decides: no spins are made that cannot change the verdict.
        var catches = Window - _misses;
        var isWorthIt = catches * 2 >= Window && _spentNs <= catches * WorthOfMax * max;
        if (isWorthIt && _spins < Window)
        {
            return;
        }

        _spins = _misses = 0;
        _spentNs = 0;
        if (isWorthIt)
        {
            _pause = 0;
            return;
        }

        _spinNs = shrink == 0 ? 0 : _spinNs / shrink;
        if (_spinNs < LeastNs)
        {
            _spinNs = 0;
            _pause = Math.Clamp(_pause * 2, PauseFirst, PauseMax);
            _pauseLeft = _pause;
        }
    }

    /// <summary>
    /// A spin missed, and its work came after <paramref name="waitedNs"/> in all: if a longer spin is permitted that would
    /// have caught it, the next ones are longer.
    /// </summary>
    public void Grow(long waitedNs, long max, long grow)
    {
        if (waitedNs <= max && _spinNs > 0)
        {
            grow = grow == 0 ? 2 : grow;
            _spinNs = _spinNs > max / grow ? max : _spinNs * grow;
        }
    }
}
