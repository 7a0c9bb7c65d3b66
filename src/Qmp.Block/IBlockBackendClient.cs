using Qmp.Aio;

namespace Qmp.Block;

/// <summary>The feeder behind a <see cref="BlockBackend"/>, as the block layer calls it. On the home loop unless said.</summary>
public interface IBlockBackendClient
{
    /// <summary>Whether it can follow its node to another loop. <b>Main</b>.</summary>
    bool CanChangeContext { get; }

    /// <summary>
    /// Stop taking new requests from the source. What was taken may still be submitted (it is held), what is in flight
    /// completes. Sections nest in the backend: this is called for the first only.
    /// </summary>
    void DrainBegin();

    /// <summary>Take requests again, and look for those that came meanwhile. Called when the last section ended.</summary>
    void DrainEnd();

    /// <summary>The length changed; called within a drained section.</summary>
    void Resized(long newLength);

    /// <summary>
    /// The tree moves, drained: detach handlers from <paramref name="from"/> (enter it), attach them to
    /// <paramref name="to"/>. Called on the main loop, may return on any. May not fail. From the detaching on, nothing may be
    /// submitted until <see cref="DrainEnd"/>, not even what would be held.
    /// </summary>
    ValueTask ContextChangingAsync(AioContext from, AioContext to);
}
