namespace Qmp.Client;

/// <summary>What was seen of a job that may be gone before anybody can ask why it failed.</summary>
/// <param name="id">Name of the job.</param>
internal sealed class JobTrace(string id)
{
    private string? _error;
    private bool _isAborted;

    /// <summary>The job as it was seen last, by question or by event; null when it never was.</summary>
    public QmpJob? Last { get; private set; }

    /// <summary>All events that concern a job.</summary>
    public static QmpEventSubscription Subscribe(QmpClient client, string id) => client.Subscribe(received => received.Name switch
    {
        "JOB_STATUS_CHANGE" => received.Text("id"u8) == id,
        "BLOCK_JOB_COMPLETED" or "BLOCK_JOB_CANCELLED" => received.Text("device"u8) == id,
        _ => false,
    });

    public void Add(QmpReceivedEvent received)
    {
        Last ??= new QmpJob(id, "", "", 0, 0, null);
        switch (received.Name)
        {
            case "JOB_STATUS_CHANGE":
                Last = Last with { Status = received.Text("status"u8) ?? "" };
                _isAborted |= Last.Status == "aborting";
                break;
            case "BLOCK_JOB_CANCELLED":
                _error ??= "Operation canceled";
                break;
            default:
                _error ??= received.Text("error"u8);
                break;
        }
    }

    /// <summary>Takes what <c>query-jobs</c> said.</summary>
    public void Seen(QmpJob? job, IProgress<QmpJob>? progress)
    {
        Last = job ?? Gone();
        if (Last is not null)
        {
            progress?.Report(Last);
        }
    }

    private QmpJob? Gone() => Last is null ? null : Last with
    {
        Status = "null",
        Error = Last.Error ?? _error ?? (_isAborted ? "it failed, and was gone before it could be asked why" : null),
    };
}
