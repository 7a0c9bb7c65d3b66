namespace Qmp.Client;

/// <summary>A job failed, was cancelled, or does not exist.</summary>
/// <param name="job">The job as it was seen last.</param>
/// <param name="message">What happened, in the server's words.</param>
public sealed class QmpJobException(QmpJob job, string message) : Exception($"job '{job.Id}': {message}")
{
    /// <summary>The job as it was seen last.</summary>
    public QmpJob Job { get; } = job;
}
