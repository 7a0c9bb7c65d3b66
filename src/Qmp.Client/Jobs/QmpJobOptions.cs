namespace Qmp.Client;

/// <summary>What to do for a job while waiting for its end. Immutable.</summary>
public sealed record QmpJobOptions
{
    /// <summary>
    /// Whether to say <c>job-complete</c> when it is ready (default: false). A mirror or an active commit goes on until
    /// somebody does.
    /// </summary>
    public bool CompleteWhenReady { get; init; }

    /// <summary>Whether to say <c>job-finalize</c> when it is pending (default: false), for jobs with <c>auto-finalize</c> off.</summary>
    public bool FinalizeWhenPending { get; init; }

    /// <summary>Whether to say <c>job-dismiss</c> at the end, where the job has not gone by itself (default: true).</summary>
    public bool Dismiss { get; init; } = true;

    /// <summary>Whether a job that failed or was cancelled is an exception (default: true).</summary>
    public bool ThrowOnFailure { get; init; } = true;

    /// <summary>Told of each state that is seen, in order.</summary>
    public IProgress<QmpJob>? Progress { get; init; }
}
