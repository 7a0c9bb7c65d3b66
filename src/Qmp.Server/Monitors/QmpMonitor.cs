using Qmp.Server.Chardevs;

namespace Qmp.Server.Monitors;

/// <summary>A QMP monitor on a character device: any number of clients at once, each served by itself. <b>Main</b>.</summary>
/// <param name="name">Its name; may be empty.</param>
/// <param name="chardev">Where clients come from. One monitor uses it.</param>
/// <param name="isPretty">Whether output has a line per member.</param>
/// <param name="services">What all monitors share.</param>
internal sealed class QmpMonitor(string name, SocketChardev chardev, bool isPretty, MonitorServices services)
{
    private readonly List<QmpConnection> _connections = [];

    /// <summary>Its name; may be empty.</summary>
    public string Name { get; } = name;

    /// <summary>Where clients come from.</summary>
    public SocketChardev Chardev { get; } = chardev;

    /// <summary>Whether it has clients.</summary>
    public bool HasConnections => _connections.Count > 0;

    /// <summary>Begins to take clients.</summary>
    public void Start() => Chardev.Attach(OnConnected);

    /// <summary>Takes no more clients and says good-bye to those that are there.</summary>
    public void Stop()
    {
        Chardev.Detach();
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

    private void OnConnected(int fd)
    {
        var connection = new QmpConnection(services.NextConnectionId(), fd, isPretty, services, OnClosed);
        _connections.Add(connection);
        services.Events.Add(connection);
    }

    private void OnClosed(QmpConnection connection)
    {
        _connections.Remove(connection);
        services.Events.Remove(connection);
        Chardev.ConnectionClosed();
    }
}
