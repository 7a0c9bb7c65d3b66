using System.Globalization;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Chardevs;
using Qmp.Server.Objects;

namespace Qmp.Server.Monitors;

/// <summary>All monitors, which stand below <c>/objects</c> as well. <b>Main</b>.</summary>
/// <param name="objects">The objects of the daemon.</param>
/// <param name="chardevs">The character devices.</param>
/// <param name="services">What all monitors share.</param>
internal sealed class MonitorRegistry(ObjectTree objects, ChardevRegistry chardevs, MonitorServices services)
{
    private readonly List<QmpMonitor> _monitors = [];
    private int _unnamed;
    private bool _isServing;

    /// <summary>Whether any has clients.</summary>
    public bool HaveConnections => _monitors.Exists(m => m.HasConnections);

    /// <summary>Makes a monitor for the command line.</summary>
    /// <exception cref="QmpException">It cannot be made.</exception>
    public void Add(MonitorOptions options)
    {
        if ((options.Mode ?? MonitorMode.Control) != MonitorMode.Control)
        {
            throw new QmpException("Only QMP is supported");
        }

        var monitor = Create(new MonitorQmpProperties
        {
            Chardev = options.Chardev,
            Pretty = options.Pretty,
            AllowUid = options.AllowUid,
            AllowGid = options.AllowGid,
        });
        try
        {
            objects.Objects.Add(options.Id ?? string.Create(CultureInfo.InvariantCulture, $"compat_monitor{_unnamed++}"), monitor);
        }
        catch
        {
            Drop(monitor);
            throw;
        }
    }

    /// <summary>Makes a monitor, which stands in no tree yet. It serves when monitors do.</summary>
    /// <exception cref="QmpException">It cannot be made.</exception>
    public QmpMonitor Create(MonitorQmpProperties properties)
    {
        var monitor = new QmpMonitor(properties, chardevs.Claim(properties.Chardev), this, services);
        _monitors.Add(monitor);
        if (_isServing)
        {
            // Later in this turn, when it has its name.
            services.Main.Schedule(() => StartIfListed(monitor));
        }

        return monitor;
    }

    /// <summary>Lets all monitors take clients, and those that come later.</summary>
    public void Start()
    {
        _isServing = true;
        foreach (var monitor in _monitors)
        {
            monitor.Start();
        }
    }

    /// <summary>Takes no more clients, and says good-bye to those that are there.</summary>
    public void Stop()
    {
        _isServing = false;
        foreach (var monitor in _monitors)
        {
            monitor.Stop();
        }
    }

    /// <summary>Lets those clients go who do not take their last replies.</summary>
    public void Abort()
    {
        foreach (var monitor in _monitors)
        {
            monitor.Abort();
        }
    }

    /// <summary>A monitor has ended.</summary>
    public void Forget(QmpMonitor monitor) => _monitors.Remove(monitor);

    /// <summary>The last client of a monitor that is for one client has gone: so do the monitor and its character device.</summary>
    public void Abandon(QmpMonitor monitor) => services.Main.Schedule(async () =>
    {
        var chardev = chardevs.Find(monitor.ChardevName);
        await objects.RemoveAsync(monitor);
        if (chardev is { IsClaimed: false })
        {
            await chardevs.RemoveAsync(chardev);
        }
    });

    private void StartIfListed(QmpMonitor monitor)
    {
        if (_isServing && _monitors.Contains(monitor))
        {
            monitor.Start();
        }
    }

    private static void Drop(QmpMonitor monitor) => _ = monitor.DisposeAsync().AsTask();
}
