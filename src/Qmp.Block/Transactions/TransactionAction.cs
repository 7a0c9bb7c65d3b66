namespace Qmp.Block;

/// <summary>
/// One step of a <see cref="BlockTransaction"/>. Everything is <b>Main</b>, with the nodes of all steps drained. The
/// order: <see cref="PrepareAsync"/> of each step; if one throws, <see cref="AbortAsync"/> of those prepared before it,
/// last first, else <see cref="CommitAsync"/> of each; in the end <see cref="CleanAsync"/> of each that was reached.
/// </summary>
public abstract class TransactionAction
{
    /// <summary>Its name on the wire.</summary>
    public abstract string Name { get; }

    /// <summary>Whether <c>completion-mode: grouped</c> means something to it.</summary>
    public virtual bool SupportsGrouped => false;

    /// <summary>The nodes that must be at rest meanwhile; names that do not exist are left for <see cref="PrepareAsync"/>.</summary>
    public virtual IEnumerable<string> NodeNames => [];

    /// <summary>Does what may fail. Throws <see cref="Protocol.QmpException"/> with everything as it was before.</summary>
    protected internal abstract ValueTask PrepareAsync(GraphChange change);

    /// <summary>Makes it final. May not fail.</summary>
    protected internal virtual ValueTask CommitAsync(GraphChange change) => default;

    /// <summary>Undoes what was prepared. May not fail.</summary>
    protected internal virtual ValueTask AbortAsync(GraphChange change) => default;

    /// <summary>Releases what it held until now. May not fail.</summary>
    protected internal virtual ValueTask CleanAsync(GraphChange change) => default;
}
