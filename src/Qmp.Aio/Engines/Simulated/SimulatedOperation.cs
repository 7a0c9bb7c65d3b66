namespace Qmp.Aio;

/// <summary>Something that happens at a virtual time.</summary>
internal abstract class SimulatedOperation(long dueNs)
{
    public long DueNs { get; } = dueNs;

    /// <summary>The disk it is in flight on, if it is on one.</summary>
    public abstract ISimulatedStorage? Storage { get; }

    /// <summary>Its time has come.</summary>
    public abstract void Happen();

    /// <summary>The power failed while it was in flight.</summary>
    public virtual void TearApart()
    {
    }
}

/// <summary>A blocking call of a worker thread.</summary>
internal sealed class SimulatedWork(long dueNs, WorkItem item) : SimulatedOperation(dueNs)
{
    public override ISimulatedStorage? Storage => null;

    public override void Happen()
    {
        item.Execute();
        item.Complete();
    }
}
