using System.Text.Json;

namespace Qmp.Client;

/// <summary>A job as <c>query-jobs</c> shows it. Status and type are the words of the wire: servers have more than we know.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Type">Such as <c>mirror</c>; empty where nobody could ask in time.</param>
/// <param name="Status">Such as <c>running</c>; <c>null</c> once it is gone.</param>
/// <param name="CurrentProgress">What is done, in units of the job's own.</param>
/// <param name="TotalProgress">What is to do; it may grow.</param>
/// <param name="Error">Why it failed or was cancelled; null when it has not.</param>
public sealed record QmpJob(string Id, string Type, string Status, long CurrentProgress, long TotalProgress, string? Error)
{
    internal static QmpJob From(JsonElement job) => new(
        Text(job, "id"), Text(job, "type"), Text(job, "status"), Number(job, "current-progress"), Number(job, "total-progress"),
        job.TryGetProperty("error", out var error) ? error.ToString() : null);

    private static string Text(JsonElement job, string name) => job.TryGetProperty(name, out var value) ? value.ToString() : "";

    private static long Number(JsonElement job, string name) =>
        job.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : 0;
}
