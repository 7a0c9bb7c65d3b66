using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;

namespace Qmp.Server.Monitors;

/// <summary>
/// The rate limit of events. Of a limited event the first passes at once; while its interval runs, only the latest is
/// kept, and passes with its own timestamp when the interval ends. Most are limited by what they are about: one node
/// or device that fails does not hide another. <b>Main</b>.
/// </summary>
/// <param name="main">The main loop, whose clock counts.</param>
internal sealed class EventThrottle(AioContext main)
{
    private const long IntervalNs = 1_000_000_000;

    private readonly Dictionary<string, Running> _running = [];

    /// <summary>Whether an event is limited, and by which member of its data besides its name.</summary>
    /// <param name="name">The event.</param>
    /// <param name="member">A member of its data, or null.</param>
    public static bool IsLimited(string name, out string? member)
    {
        member = name switch
        {
            "BLOCK_IO_ERROR" => "qom-path",
            "QUORUM_REPORT_BAD" => "node-name",
            "VSERPORT_CHANGE" => "id",
            _ => null,
        };
        return member != null || name == "QUORUM_FAILURE";
    }

    /// <summary>Passes an event on, now or later or never.</summary>
    /// <param name="qmpEvent">The event.</param>
    /// <param name="microseconds">Its time.</param>
    /// <param name="send">Where to.</param>
    public void Pass(QmpEvent qmpEvent, long microseconds, Action<QmpEvent, long> send)
    {
        if (!IsLimited(qmpEvent.Name, out var member))
        {
            send(qmpEvent, microseconds);
            return;
        }

        var key = member == null ? qmpEvent.Name : qmpEvent.Name + "/" + MemberOf(qmpEvent, member);
        if (_running.TryGetValue(key, out var running))
        {
            running.Latest = qmpEvent;
            running.Microseconds = microseconds;
            return;
        }

        running = new Running();
        running.Timer = main.NewTimer(() => Expired(key, running, send));
        _running.Add(key, running);
        running.Timer.Arm(main.NowNs + IntervalNs);
        send(qmpEvent, microseconds);
    }

    private void Expired(string key, Running running, Action<QmpEvent, long> send)
    {
        if (running.Latest is not { } latest)
        {
            _running.Remove(key);
            running.Timer!.Dispose();
            return;
        }

        running.Latest = null;
        running.Timer!.Arm(main.NowNs + IntervalNs);
        send(latest, running.Microseconds);
    }

    private static string MemberOf(QmpEvent qmpEvent, string member)
    {
        var writer = new QapiWriter();
        qmpEvent.Data?.Write(writer);
        using var data = System.Text.Json.JsonDocument.Parse(writer.WrittenMemory);
        return data.RootElement.TryGetProperty(member, out var value) ? value.ToString() : string.Empty;
    }

    private sealed class Running
    {
        public AioTimer? Timer { get; set; }

        public QmpEvent? Latest { get; set; }

        public long Microseconds { get; set; }
    }
}
