namespace Qmp.Aio;

/// <summary>What a watch waits for and reports. The numbers are those of <c>poll(2)</c>.</summary>
[Flags]
public enum AioEvents
{
    /// <summary>Nothing: the watch is paused.</summary>
    None = 0,

    /// <summary>Readable, or a connection to accept.</summary>
    In = 1,

    /// <summary>Writable.</summary>
    Out = 4,

    /// <summary>Error; always reported.</summary>
    Error = 8,

    /// <summary>The other end closed; always reported.</summary>
    HangUp = 16,

    /// <summary>The descriptor is not open; always reported.</summary>
    Invalid = 32,

    /// <summary>The peer ended its direction.</summary>
    ReadHangUp = 0x2000,
}

/// <summary>
/// A descriptor that a loop watches. Level-triggered: the callback runs again on each turn while the descriptor is
/// ready. All members: <b>Loop</b>.
/// </summary>
public abstract class AioWatch : IDisposable
{
    private protected AioWatch(AioEvents events) => Events = events;

    /// <summary>What is waited for.</summary>
    public AioEvents Events { get; private protected set; }

    /// <summary>Waits for other events; <see cref="AioEvents.None"/> pauses (errors and hang-ups, too).</summary>
    public abstract void Update(AioEvents events);

    /// <summary>
    /// Stops. The callback does not run any more, also when the descriptor was found ready already. The descriptor
    /// may be closed at once; the caller owns it.
    /// </summary>
    public abstract void Dispose();
}

/// <summary>
/// What an eventfd tells to, for those who can also look without it: while the loop spins (see
/// <see cref="AioContext.PollMaxNs"/>) the event is not needed. All members are called on the loop.
/// </summary>
public interface IAioEventHandler
{
    /// <summary>The event was signalled, once or more often.</summary>
    void OnSignalled();

    /// <summary>
    /// Looks for work without system calls and does it; true if there was any. Called again and again while the loop
    /// spins, and once per turn between <see cref="PollBegin"/> and <see cref="PollEnd"/>.
    /// </summary>
    bool Poll();

    /// <summary>The loop begins to look by itself: the other side may stop signalling.</summary>
    void PollBegin();

    /// <summary>The loop is about to sleep: the other side must signal again. <see cref="Poll"/> is called once after this.</summary>
    void PollEnd();
}
