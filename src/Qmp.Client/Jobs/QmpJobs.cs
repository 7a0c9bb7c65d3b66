using System.Text.Json.Nodes;

namespace Qmp.Client;

/// <summary>Waits for jobs. Works with every server that has <c>query-jobs</c> and <c>JOB_STATUS_CHANGE</c> (QEMU since 3.0).</summary>
public static class QmpJobs
{
    // Events say when to look. After a reconnection some are missing, so it is looked without them now and then.
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Starts a job and waits for its end. However short the job is, its end is not missed, dismissed by itself or not.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="id">Name of the job.</param>
    /// <param name="start">Sends the command that starts it.</param>
    /// <param name="options">What to do on the way.</param>
    /// <param name="cancellationToken">Ends the wait, not the job.</param>
    /// <returns>The job at its end.</returns>
    /// <exception cref="QmpJobException">It failed or was cancelled.</exception>
    public static async Task<QmpJob> RunJobAsync(
        this QmpClient client, string id, Func<Task> start, QmpJobOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var events = JobTrace.Subscribe(client, id);
        await start().ConfigureAwait(false);
        return await WaitAsync(client, id, events, options ?? new QmpJobOptions(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits for the end of a job that exists.</summary>
    /// <param name="client">The client.</param>
    /// <param name="id">Name of the job.</param>
    /// <param name="options">What to do on the way.</param>
    /// <param name="cancellationToken">Ends the wait, not the job.</param>
    /// <returns>The job at its end.</returns>
    /// <exception cref="QmpJobException">It failed or was cancelled, or there is no such job.</exception>
    public static async Task<QmpJob> WaitForJobAsync(
        this QmpClient client, string id, QmpJobOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var events = JobTrace.Subscribe(client, id);
        return await WaitAsync(client, id, events, options ?? new QmpJobOptions(), cancellationToken).ConfigureAwait(false);
    }

    private static async Task<QmpJob> WaitAsync(
        QmpClient client, string id, QmpEventSubscription events, QmpJobOptions options, CancellationToken cancellationToken)
    {
        var trace = new JobTrace(id);
        var isCompleted = false;
        while (true)
        {
            // What arrived before the answer is in the subscription when the answer is here.
            var job = await QueryAsync(client, id, cancellationToken).ConfigureAwait(false);
            while (events.TryNext(out var received))
            {
                trace.Add(received);
            }

            trace.Seen(job, options.Progress);
            switch (job?.Status)
            {
                case null or "null":
                    return Ended(trace.Last ?? throw new QmpJobException(new QmpJob(id, "", "null", 0, 0, null), "there is no such job"), options);

                case "concluded":
                    if (options.Dismiss)
                    {
                        await TryAsync(client, "job-dismiss", id, cancellationToken).ConfigureAwait(false);
                    }

                    return Ended(job, options);

                case "ready" when options.CompleteWhenReady && !isCompleted:
                    isCompleted = true;
                    await TryAsync(client, "job-complete", id, cancellationToken).ConfigureAwait(false);
                    break;

                case "pending" when options.FinalizeWhenPending:
                    await TryAsync(client, "job-finalize", id, cancellationToken).ConfigureAwait(false);
                    break;
            }

            await NextAsync(events, trace, cancellationToken).ConfigureAwait(false);
        }
    }

    private static QmpJob Ended(QmpJob job, QmpJobOptions options) =>
        job.Error is { } error && options.ThrowOnFailure ? throw new QmpJobException(job, error) : job;

    private static async Task<QmpJob?> QueryAsync(QmpClient client, string id, CancellationToken cancellationToken)
    {
        var jobs = await client.ExecuteAsync("query-jobs", cancellationToken: cancellationToken).ConfigureAwait(false);
        return jobs.EnumerateArray().Select(QmpJob.From).FirstOrDefault(job => job.Id == id);
    }

    // The job may have moved on by itself meanwhile: then the next look tells.
    private static async Task TryAsync(QmpClient client, string command, string id, CancellationToken cancellationToken)
    {
        try
        {
            await client.ExecuteAsync(command, new JsonObject { ["id"] = id }, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (QmpCommandException)
        {
        }
    }

    private static async Task NextAsync(QmpEventSubscription events, JobTrace trace, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LookAgain);
        try
        {
            trace.Add(await events.NextAsync(limit.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
        }
    }
}
