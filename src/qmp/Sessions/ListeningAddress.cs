using System.Net.Sockets;
using Qmp.Sessions;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Sessions;

/// <summary>A socket that clients connect to; its file goes away with it.</summary>
internal sealed class ListeningAddress : IDisposable
{
    private readonly SessionEndpoint _endpoint;

    private ListeningAddress(SessionEndpoint endpoint, Socket socket)
    {
        _endpoint = endpoint;
        Socket = socket;
    }

    public Socket Socket { get; }

    /// <exception cref="ToolException">The address cannot be listened on.</exception>
    public static async Task<ListeningAddress> OpenAsync(SessionEndpoint endpoint)
    {
        try
        {
            return new(endpoint, await endpoint.ListenAsync());
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCode.Connection, $"cannot listen on {endpoint}: {e.Message}");
        }
    }

    public void Dispose()
    {
        Socket.Dispose();
        if (_endpoint.Path is { } path)
        {
            File.Delete(path);
        }
    }
}
