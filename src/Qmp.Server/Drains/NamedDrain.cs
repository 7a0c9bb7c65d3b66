using Qmp.Aio;
using Qmp.Block;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Drains;

/// <summary>How far a <see cref="NamedDrain"/> is.</summary>
internal enum NamedDrainState
{
    /// <summary>Its name is taken; its nodes are being stopped, or a transaction has not committed yet.</summary>
    Preparing,

    /// <summary>Its nodes are quiescent.</summary>
    Standing,

    /// <summary>It has ended, or never stood.</summary>
    Ended,
}

/// <summary>One drained section that a client holds. Everything here is <b>Main</b>.</summary>
internal sealed class NamedDrain
{
    private readonly DrainRegistry _registry;
    private readonly AioTimer _timer;
    private readonly uint _maxDurationMs;
    private CancellationTokenRegistration _ownerClosed;
    private DrainedSection? _section;
    private long _standsSinceNs;

    internal NamedDrain(DrainRegistry registry, string id, IReadOnlyList<BlockNode>? nodes, IQmpConnection owner, uint maxDurationMs)
    {
        _registry = registry;
        _maxDurationMs = maxDurationMs;
        Id = id;
        Nodes = nodes;
        Owner = owner;
        _timer = registry.Main.NewTimer(() => EndFromCallback(BlockDrainEndReason.Expired));
    }

    internal string Id { get; }

    /// <summary>The nodes that it was begun for; null: all.</summary>
    internal IReadOnlyList<BlockNode>? Nodes { get; }

    internal IQmpConnection Owner { get; }

    internal NamedDrainState State { get; private set; }

    /// <summary>Takes over the section that keeps the nodes still.</summary>
    internal void Attach(DrainedSection section) => _section = section;

    /// <summary>Lets the section stand: its time begins. Cannot fail.</summary>
    internal void Commit()
    {
        State = NamedDrainState.Standing;
        _standsSinceNs = _registry.Main.NowNs;
        _timer.Arm(_standsSinceNs + (_maxDurationMs * 1_000_000L));

        // Calls back at once if the owner went away while its command ran; the section then ends here.
        _ownerClosed = Owner.Closed.UnsafeRegister(
            static drain => ((NamedDrain)drain!).EndFromCallback(BlockDrainEndReason.Disconnected), this);
    }

    /// <summary>Undoes the preparation, and nobody hears of it.</summary>
    /// <returns>The section that keeps the nodes still, for the caller to end.</returns>
    internal DrainedSection Abort() => Detach();

    /// <summary>Ends the section: its nodes go on, and then the event is sent. Does nothing if it has ended already.</summary>
    internal async ValueTask EndAsync(BlockDrainEndReason reason)
    {
        if (State != NamedDrainState.Standing)
        {
            return;
        }

        await Detach().EndAsync();
        _registry.Emit(QmpEvents.BlockDrainEnded(Id, reason));
    }

    internal BlockDrainInfo Describe(IQmpConnection asker)
    {
        long ageNs = _registry.Main.NowNs - _standsSinceNs;
        long remainingNs = Math.Max(0, (_maxDurationMs * 1_000_000L) - ageNs);
        return new BlockDrainInfo
        {
            Id = Id,
            Nodes = _registry.NamesOf(Nodes),
            Own = Owner.Id == asker.Id,
            AgeMs = (ulong)(ageNs / 1_000_000),
            RemainingMs = (ulong)((remainingNs + 999_999) / 1_000_000),
        };
    }

    private DrainedSection Detach()
    {
        State = NamedDrainState.Ended;
        _ownerClosed.Unregister();
        _timer.Dispose();
        _registry.Forget(this);
        return _section!;
    }

    // Started by a timer or a token, so nobody awaits it; ending a section cannot fail.
    private async void EndFromCallback(BlockDrainEndReason reason) => await EndAsync(reason);
}
