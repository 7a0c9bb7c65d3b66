using System.Text.Json;
using System.Text.Json.Nodes;
using Qmp.Client;

namespace Qmp.Tool.Top;

/// <summary>
/// Asks a server what its disks have done: exports by <c>query-block-activity</c> of qmpd, which also tells loops and
/// requests in flight; elsewhere devices by <c>query-blockstats</c>.
/// </summary>
internal sealed class DiskSampler(QmpClient client)
{
    private bool _hasActivity = true;

    /// <exception cref="QmpCommandException">The server has no figures.</exception>
    /// <exception cref="FormatException">What it tells makes no sense.</exception>
    public async Task<List<DiskSample>> SampleAsync(CancellationToken cancellation)
    {
        if (_hasActivity)
        {
            try
            {
                return Read(await client.ExecuteAsync("query-block-activity", (JsonObject?)null, cancellationToken: cancellation), Activity);
            }
            catch (QmpCommandException e) when (e.ClassName == "CommandNotFound")
            {
                _hasActivity = false;
            }
        }

        return Read(await client.ExecuteAsync("query-blockstats", (JsonObject?)null, cancellationToken: cancellation), Device);
    }

    private static List<DiskSample> Read(JsonElement reply, Func<JsonElement, IEnumerable<DiskSample>> disks)
    {
        try
        {
            return [.. reply.EnumerateArray().SelectMany(disks)];
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new FormatException($"the server's figures cannot be read: {e.Message}", e);
        }
    }

    private static IEnumerable<DiskSample> Activity(JsonElement node)
    {
        var name = node.GetProperty("node-name").GetString()!;
        return node.GetProperty("users").EnumerateArray().Select(user => new DiskSample(Optional(user, "export") ?? name, name)
        {
            Loop = Optional(node, "iothread") ?? "main",
            InFlight = user.GetProperty("in-flight").GetUInt32(),
            IsHeld = user.GetProperty("held").GetBoolean(),
            Read = Counts(user.GetProperty("reads")),
            Write = Counts(user.GetProperty("writes")),
            Flush = Counts(user.GetProperty("flushes")),
            Discard = Counts(user.GetProperty("discards")),
        });
    }

    private static RequestCounts Counts(JsonElement counts) => new(
        Number(counts, "operations"), Number(counts, "bytes"), Number(counts, "total-time-ns"), Number(counts, "failed"));

    private static IEnumerable<DiskSample> Device(JsonElement device)
    {
        var stats = device.GetProperty("stats");
        var node = Optional(device, "node-name") ?? "";
        yield return new(new[] { Optional(device, "device"), Optional(device, "qdev") }.FirstOrDefault(name => !string.IsNullOrEmpty(name)) ?? node, node)
        {
            Read = Counts(stats, "rd"),
            Write = Counts(stats, "wr"),
            Flush = new(Number(stats, "flush_operations"), 0, Number(stats, "flush_total_time_ns"), Number(stats, "failed_flush_operations")),
            Discard = Counts(stats, "unmap"),
        };
    }

    private static RequestCounts Counts(JsonElement stats, string kind) => new(
        Number(stats, kind + "_operations"), Number(stats, kind + "_bytes"), Number(stats, kind + "_total_time_ns"), Number(stats, $"failed_{kind}_operations"));

    // Older servers lack some.
    private static ulong Number(JsonElement item, string name) =>
        item.TryGetProperty(name, out var number) ? number.TryGetUInt64(out var value) ? value : 0 : 0;

    private static string? Optional(JsonElement item, string name) => item.TryGetProperty(name, out var text) ? text.GetString() : null;
}
