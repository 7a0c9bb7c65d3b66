using System.Runtime.InteropServices;

namespace Qmp.Aio;

/// <summary>
/// Decides who must wake a loop, so that a publisher pays for a system call only when the loop sleeps.
/// </summary>
/// <remarks>
/// <code>
///     publisher (any thread)                        the loop
///     P1  publish: push onto the list               L1  PrepareToSleep: asleep = 1, full fence
///     P2  full fence (the push is one)              L2  look at the list again: not empty -> L4
///     P3  ClaimWake: asleep = 0? nothing to do      L3  sleep until the event or the time-out
///     P4  asleep 1 -> 0 by an atomic exchange:      L4  Awake: asleep = 0
///         who changed it signals the event          L5  take the list
/// </code>
/// Nothing is lost: of L1 and P1 one comes first in the total order of the fences. If P1 does, L2 sees the node.
/// If L1 does, P3 sees asleep = 1 (or another publisher took it, and has signalled or is about to). A signal that
/// arrives after L4 only makes one later sleep short. The tests run every interleaving of these steps.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct WakeUp
{
    private readonly long _padding0;
    private readonly long _padding1;
    private readonly long _padding2;
    private readonly long _padding3;
    private readonly long _padding4;
    private readonly long _padding5;
    private readonly long _padding6;
    private readonly long _padding7;
    private int _asleep;

    /// <summary><b>Any</b>, after publishing with a full fence: true means that the caller must signal the event.</summary>
    public bool ClaimWake() => Volatile.Read(ref _asleep) != 0 && Interlocked.Exchange(ref _asleep, 0) != 0;

    /// <summary><b>Loop</b>. After this, look at everything that others publish once more, then sleep.</summary>
    public void PrepareToSleep() => Interlocked.Exchange(ref _asleep, 1);

    /// <summary><b>Loop</b>. No publisher needs to signal any more.</summary>
    public void Awake() => Volatile.Write(ref _asleep, 0);
}
