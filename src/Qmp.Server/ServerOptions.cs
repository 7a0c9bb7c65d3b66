using Qmp.Aio;
using Qmp.Protocol;

namespace Qmp.Server;

/// <summary>How a daemon is set up. Immutable.</summary>
public sealed record ServerOptions
{
    /// <summary>The main loop. Whoever makes the options runs it.</summary>
    public required AioContext Main { get; init; }

    /// <summary>Where events go; <see cref="QmpServer"/> sends them to its monitors.</summary>
    public IQmpEventSink Events { get; init; } = new NoEvents();

    /// <summary>Takes lines for the operator; called on any thread.</summary>
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>The I/O engine of iothreads.</summary>
    public AioEngineKind Engine { get; init; } = AioEngineKind.Auto;

    /// <summary>Whether the daemon lets go of its terminal: then its standard streams are no character device.</summary>
    public bool IsDaemonized { get; init; }

    private sealed class NoEvents : IQmpEventSink
    {
        public void Emit(QmpEvent qmpEvent)
        {
        }
    }
}
