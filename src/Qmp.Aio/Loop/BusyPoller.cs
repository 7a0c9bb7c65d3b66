namespace Qmp.Aio;

/// <summary>
/// How long a loop spins before it sleeps: adapted to how long it had to wait before, as the properties
/// poll-max-ns, poll-grow and poll-shrink of an iothread describe. <b>Loop</b>, except the limits, which may be set
/// from any thread.
/// </summary>
internal struct BusyPoller
{
    /// <summary>The first spin after none, in nanoseconds.</summary>
    private const long FirstNs = 4000;

    /// <summary>
    /// Spins that are judged together: if fewer than half of them caught anything, or all of them together took more than
    /// <see cref="WorthOfMax"/> of the longest spin per catch, spinning pauses.
    /// </summary>
    private const int Window = 32;

    // 16 us of the default 32: twice what a guest needs that sends the next request at once, so that it is not taken for
    // one that comes now and then. 20 000 writes a second at depth 1 cost a third less without spins.
    private const double WorthOfMax = 0.5;

    /// <summary>What <see cref="NextSpinNs"/> says while spinning pauses: this wait teaches nothing and needs no clock.</summary>
    public const long Paused = -1;

    /// <summary>Sleeps without a spin: first and longest pause.</summary>
    private const int PauseFirst = 64;
    private const int PauseMax = 4096;

    private int _spins;
    private int _misses;
    private int _pauseLeft;
    private int _pause;
    private long _spentNs;
    private long _maxNs;
    private long _grow;
    private long _shrink;

    /// <summary>Time to spin now, in nanoseconds.</summary>
    public long CurrentNs { get; private set; }

    /// <summary>Longest spin in nanoseconds; 0 switches spinning off.</summary>
    public long MaxNs
    {
        readonly get => Volatile.Read(in _maxNs);
        set => Volatile.Write(ref _maxNs, value);
    }

    /// <summary>Factor by which the time grows; 0 is 2.</summary>
    public long Grow
    {
        readonly get => Volatile.Read(in _grow);
        set => Volatile.Write(ref _grow, value);
    }

    /// <summary>Divisor by which it shrinks; 0 drops it to nothing.</summary>
    public long Shrink
    {
        readonly get => Volatile.Read(in _shrink);
        set => Volatile.Write(ref _shrink, value);
    }

    /// <summary>
    /// How long to spin before the coming sleep; <see cref="Paused"/> during a pause: where the other side needs this very
    /// processor, or longer than the limit to wake up, every spin is lost and only delays it.
    /// </summary>
    public long NextSpinNs()
    {
        if (_pauseLeft > 0)
        {
            _pauseLeft--;
            return Paused;
        }

        return Math.Min(CurrentNs, MaxNs);
    }

    /// <summary>A spin of <paramref name="spentNs"/> has ended: by work that it found, or in sleep.</summary>
    public void NoteSpin(bool caught, long spentNs)
    {
        _misses += caught ? 0 : 1;
        _spentNs += spentNs;
        _spins++;

        // A catch now and then is luck, for instance when the other side ran because this thread was preempted. What the
        // window can catch at most decides, so that spins are not made that cannot change the verdict.
        var catches = Window - _misses;
        var isWorthIt = catches * 2 >= Window && _spentNs <= catches * WorthOfMax * MaxNs;
        if (isWorthIt && _spins < Window)
        {
            return;
        }

        _pause = isWorthIt ? 0 : Math.Clamp(_pause * 2, PauseFirst, PauseMax);
        _pauseLeft = _pause;
        _spins = _misses = 0;
        _spentNs = 0;
    }

    /// <summary>The loop had to wait <paramref name="waitedNs"/> (spinning and sleeping together) for its next work.</summary>
    public void Adjust(long waitedNs)
    {
        var max = MaxNs;
        if (CurrentNs > max)
        {
            CurrentNs = max;
        }

        if (waitedNs <= CurrentNs)
        {
            // Spinning caught it: the time is right.
            return;
        }

        if (waitedNs > max)
        {
            // No permitted spin would have caught it. Where there was none to begin with, it counts as one that missed:
            // waits that are all too long are not timed for ever.
            if (CurrentNs == 0)
            {
                NoteSpin(caught: false, 0);
                return;
            }

            var shrink = Shrink;
            CurrentNs = shrink == 0 ? 0 : CurrentNs / shrink;
        }
        else if (CurrentNs < max)
        {
            var grow = Grow;
            CurrentNs = CurrentNs == 0 ? FirstNs : Saturate(CurrentNs, grow == 0 ? 2 : grow);
            CurrentNs = Math.Min(CurrentNs, max);
        }
    }

    private static long Saturate(long a, long b) => a > long.MaxValue / b ? long.MaxValue : a * b;
}
