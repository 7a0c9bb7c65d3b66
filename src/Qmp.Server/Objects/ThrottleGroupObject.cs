using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Objects;

/// <summary>The object type <c>throttle-group</c>: limits that disks share. <b>Main</b>.</summary>
internal sealed class ThrottleGroupObject() : QomObject("throttle-group")
{
    private const string Prefix = "x-";

    private ThrottleConfig _config = ThrottleConfig.Unlimited;
    private bool _isComplete;

    /// <summary>What this type adds, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> OwnProperties { get; } =
    [
        Length("bps-write", c => c.BpsWrite, (c, b) => c with { BpsWrite = b }),
        Length("iops-total", c => c.IopsTotal, (c, b) => c with { IopsTotal = b }),
        Single("iops-size", c => c.IopsSize, (c, v) => c with { IopsSize = v }),
        QomProperty.Of<ThrottleGroupObject, ThrottleLimits>(
            "limits", "ThrottleLimits", ThrottleLimits.Read, (writer, v) => writer.Value(v), o => o._config.ToLimits(), (o, v) => o._config = o._config.With(v).Checked()),
        Average("bps-total", c => c.BpsTotal, (c, b) => c with { BpsTotal = b }),
        Length("iops-read", c => c.IopsRead, (c, b) => c with { IopsRead = b }),
        Average("bps-write", c => c.BpsWrite, (c, b) => c with { BpsWrite = b }),
        Length("iops-write", c => c.IopsWrite, (c, b) => c with { IopsWrite = b }),
        Max("bps-read", c => c.BpsRead, (c, b) => c with { BpsRead = b }),
        Max("iops-read", c => c.IopsRead, (c, b) => c with { IopsRead = b }),
        Max("bps-total", c => c.BpsTotal, (c, b) => c with { BpsTotal = b }),
        Length("bps-read", c => c.BpsRead, (c, b) => c with { BpsRead = b }),
        Average("iops-read", c => c.IopsRead, (c, b) => c with { IopsRead = b }),
        Average("bps-read", c => c.BpsRead, (c, b) => c with { BpsRead = b }),
        Max("bps-write", c => c.BpsWrite, (c, b) => c with { BpsWrite = b }),
        Max("iops-total", c => c.IopsTotal, (c, b) => c with { IopsTotal = b }),
        Average("iops-total", c => c.IopsTotal, (c, b) => c with { IopsTotal = b }),
        Average("iops-write", c => c.IopsWrite, (c, b) => c with { IopsWrite = b }),
        Length("bps-total", c => c.BpsTotal, (c, b) => c with { BpsTotal = b }),
        Max("iops-write", c => c.IopsWrite, (c, b) => c with { IopsWrite = b }),
    ];

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(QomContainer objects)
    {
        _config.Checked();
        _isComplete = true;
        return ValueTask.CompletedTask;
    }

    private static QomProperty Average(string name, Func<ThrottleConfig, ThrottleBucket> get, Func<ThrottleConfig, ThrottleBucket, ThrottleConfig> with) =>
        Single(name, c => get(c).Average, (c, v) => with(c, get(c) with { Average = v }));

    private static QomProperty Max(string name, Func<ThrottleConfig, ThrottleBucket> get, Func<ThrottleConfig, ThrottleBucket, ThrottleConfig> with) =>
        Single(name + "-max", c => get(c).Max, (c, v) => with(c, get(c) with { Max = v }));

    private static QomProperty Length(string name, Func<ThrottleConfig, ThrottleBucket> get, Func<ThrottleConfig, ThrottleBucket, ThrottleConfig> with) =>
        Single(name + "-max-length", c => get(c).MaxLength, (c, v) => with(c, get(c) with
        {
            MaxLength = v <= uint.MaxValue ? v : throw new QmpException($"{Prefix}{name}-max-length value must be in therange [0, {uint.MaxValue}]"),
        }));

    // One limit by itself: only for object-add, where the whole is checked at the end.
    private static QomProperty Single(string name, Func<ThrottleConfig, long> get, Func<ThrottleConfig, long, ThrottleConfig> with)
    {
        var property = QomProperty.Integer<ThrottleGroupObject>(
            Prefix + name,
            o => get(o._config),
            (o, v) => o._config = v >= 0 ? with(o._config, v) : throw new QmpException("Property values cannot be negative"));
        return new QomProperty(property.Name, property.Type, property.Get, (o, value) =>
        {
            if (((ThrottleGroupObject)o)._isComplete)
            {
                throw new QmpException("Property cannot be set after initialization");
            }

            property.Set!(o, value);
        });
    }
}
