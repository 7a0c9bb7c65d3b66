using System.Diagnostics.CodeAnalysis;

namespace Qmp.Aio;

/// <summary>
/// How long a loop spins before it sleeps. Whether a spin catches its work only a spin can tell: what a sleeping loop waits
/// contains the time that it takes to wake up, which is longer than any permitted spin on some machines. So it is tried,
/// and goes on while it pays. <b>Loop</b>, except the limits, which may be set from any thread.
/// </summary>
internal struct BusyPoller
{
    private SpinWindow _forGuests;
    private SpinWindow _forIo;
    private bool _isForIo;
    private long _maxNs;
    private long _grow;
    private long _shrink;

    /// <summary>Longest spin in nanoseconds; 0 switches spinning off.</summary>
    public long MaxNs
    {
        readonly get => Volatile.Read(in _maxNs);
        set => Volatile.Write(ref _maxNs, value);
    }

    /// <summary>Factor by which spins grow while longer ones would have caught more; 0 is 2.</summary>
    public long Grow
    {
        readonly get => Volatile.Read(in _grow);
        set => Volatile.Write(ref _grow, value);
    }

    /// <summary>Divisor by which they shrink when they are useless; 0 drops them to nothing.</summary>
    public long Shrink
    {
        readonly get => Volatile.Read(in _shrink);
        set => Volatile.Write(ref _shrink, value);
    }

    [UnscopedRef]
    private ref SpinWindow Current => ref _isForIo ? ref _forIo : ref _forGuests;

    /// <summary>
    /// How long to spin before the coming sleep, in nanoseconds; 0 during a pause: where the other side needs this very
    /// processor, or longer than the limit to come back, every spin is lost and only delays it.
    /// </summary>
    /// <param name="isForIo">
    /// Whether the loop waits for I/O in flight, and not only for guests and clients. Such spins are judged by themselves, and
    /// made only where the others are not paused: a guest that sends a request now and then gains little from them, and they
    /// cost as much per request as all the rest.
    /// </param>
    public long NextSpinNs(bool isForIo)
    {
        var max = MaxNs;
        if (max == 0 || _forGuests.TakePause())
        {
            return 0;
        }

        _isForIo = isForIo;
        return isForIo && _forIo.TakePause() ? 0 : Current.SpinNs(max);
    }

    /// <summary>A spin of <paramref name="spentNs"/> has ended: with work that it <paramref name="caught"/>, or in sleep.</summary>
    public void NoteSpin(bool caught, long spentNs) => Current.Note(caught, spentNs, MaxNs, Shrink);

    /// <summary>After a spin that missed, the loop's work came when it had waited <paramref name="waitedNs"/> in all.</summary>
    public void NoteWait(long waitedNs) => Current.Grow(waitedNs, MaxNs, Grow);
}
