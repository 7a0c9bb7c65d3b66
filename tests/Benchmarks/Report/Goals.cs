namespace Benchmarks.Report;

/// <summary>What the rows are grouped by.</summary>
internal static class Goals
{
    /// <summary>Not one of the eight: round trips over QMP.</summary>
    public const string Qmp = "QMP";

    /// <summary>Rows that only inform.</summary>
    public const string More = "more";

    public static IReadOnlyList<(string Key, string Title)> All { get; } =
    [
        ("1", "File in the page cache: 2 times the peer at depth 1, 1.5 times at 32 and 128, 0.85 of fio at 128"),
        ("2", "The block layer is thin: nodes over the file cost at most 5 %"),
        ("3", "null-co: 1.2 times the peer"),
        ("4", "CPU per request at most 0.6 of the peer's; an idle daemon sleeps"),
        ("5", "p99.9 no worse than the peer's; no allocation per request"),
        ("6", "Disks and queues: throughput per core within 10 % of one disk's, spread fairly"),
        ("7", "QMP commands on a loaded disk: a tenth of the peer's time at p99"),
        ("8", "Native build: at most 1.5 times the peer's time to greeting and memory"),
        (Qmp, "QMP round trips: 5 times the peer's rate, 50 times when pipelined"),
        (More, "Further figures"),
    ];
}
