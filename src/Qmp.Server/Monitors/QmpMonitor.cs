using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Chardevs;
using Qmp.Server.Descriptors;
using Qmp.Server.Objects;

namespace Qmp.Server.Monitors;

/// <summary>
/// A QMP monitor on a character device: any number of clients at once, each served by itself. It is an object of type
/// <c>monitor-qmp</c>. <b>Main</b>.
/// </summary>
internal sealed class QmpMonitor : QomObject
{
    /// <summary>Clients at once; further ones wait in the kernel's queue.</summary>
    private const int MaxConnections = 1024;

    private readonly List<QmpConnection> _connections = [];
    private readonly MonitorRegistry _monitors;
    private readonly MonitorServices _services;
    private readonly IChardevPort _port;
    private readonly PeerGuard _guard;
    private readonly NamedDescriptors _descriptors = new();
    private string _chardev;
    private bool _isPretty;
    private MonitorQmpCloseAction _closeAction;
    private bool _isDisposed;

    /// <summary>Makes the monitor, which serves once it is started.</summary>
    /// <param name="properties">Its properties.</param>
    /// <param name="port">Where clients come from.</param>
    /// <param name="monitors">Where it is listed.</param>
    /// <param name="services">What all monitors share.</param>
    public QmpMonitor(MonitorQmpProperties properties, IChardevPort port, MonitorRegistry monitors, MonitorServices services)
        : base("monitor-qmp")
    {
        _monitors = monitors;
        _port = port;
        _services = services;
        _guard = new PeerGuard(properties.AllowUid, properties.AllowGid);
        _chardev = properties.Chardev;
        _isPretty = properties.Pretty ?? false;
        _closeAction = properties.CloseAction ?? MonitorQmpCloseAction.None;
    }

    /// <summary>What every monitor has, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> MonitorProperties { get; } =
    [
        QomProperty.Text<QmpMonitor>("chardev", o => o._chardev, (o, v) => o._chardev = v),
    ];

    /// <summary>What a QMP monitor adds, in the order of listings. Set, they count for clients that come later.</summary>
    public static IReadOnlyList<QomProperty> OwnProperties { get; } =
    [
        QomProperty.Boolean<QmpMonitor>("pretty", o => o._isPretty, (o, v) => o._isPretty = v),
        QomProperty.Of<QmpMonitor, MonitorQmpCloseAction>(
            "close-action",
            "MonitorQMPCloseAction",
            MonitorQmpCloseActionNames.Read,
            static (writer, v) => writer.Value(v.ToWireName()),
            o => o._closeAction,
            (o, v) => o._closeAction = v),
    ];

    /// <inheritdoc/>
    public override bool GoesLast => true;

    /// <summary>Whether it has clients.</summary>
    public bool HasConnections => _connections.Count > 0;

    /// <summary>Name of its character device.</summary>
    public string ChardevName => _chardev;

    /// <summary>Begins to take clients.</summary>
    public void Start() => _port.Attach(OnConnected, MaxConnections);

    /// <summary>Takes no more clients and says good-bye to those that are there.</summary>
    public void Stop()
    {
        _port.Detach();
        foreach (var connection in _connections.ToArray())
        {
            connection.Close();
        }
    }

    /// <summary>Lets those go who do not take their last replies.</summary>
    public void Abort()
    {
        foreach (var connection in _connections.ToArray())
        {
            connection.Abort();
        }
    }

    /// <summary>Whether a connection is one of its own.</summary>
    public bool Serves(IQmpConnection connection) => connection is QmpConnection own && _connections.Contains(own);

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _monitors.Forget(this);
            Stop();
            _port.Unclaim();
            _descriptors.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private void OnConnected(ChardevConnection client)
    {
        if (!_guard.Allows(client))
        {
            _services.Log($"monitor '{Name}': {Describe(client)} is not let in");
            client.Start(static () => { }, static () => { });
            client.Abort();
            return;
        }

        var connection = new QmpConnection(_services.NextConnectionId(), client, _isPretty, _descriptors, _services, OnClosed);
        _connections.Add(connection);
        _services.Events.Add(connection);
    }

    private void OnClosed(QmpConnection connection)
    {
        _connections.Remove(connection);
        _services.Events.Remove(connection);
        if (_closeAction == MonitorQmpCloseAction.Delete && _connections.Count == 0 && !_isDisposed)
        {
            _monitors.Abandon(this);
        }
    }

    private static string Describe(ChardevConnection client) => client.Peer is { } peer
        ? $"user {peer.UserId} of group {peer.GroupIds[0]}"
        : "a client that the kernel does not name";
}
