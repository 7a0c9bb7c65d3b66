using System.CommandLine;
using Qmp.Client;
using Qmp.Sessions;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Calls;

/// <summary>Which server a command talks to, and how.</summary>
internal sealed class ServerOptions
{
    private readonly Argument<SessionEndpoint> _socket = Arguments.Endpoint("SOCKET", "The server");
    private readonly Option<bool> _guestAgent = new("--guest-agent") { Description = "The server is a QEMU guest agent" };

    public void AddTo(Command command)
    {
        command.Add(_socket);
        command.Add(_guestAgent);
    }

    /// <summary>Connects.</summary>
    /// <exception cref="ToolException">There is no server.</exception>
    public async Task<QmpClient> ConnectAsync(ParseResult parsed, TimeSpan patience, CancellationToken cancellation, TimeSpan? callPatience = null)
    {
        var address = parsed.GetRequiredValue(_socket);
        var endpoint = address.UnixAddress is { } path ? QmpEndpoint.Unix(path) : QmpEndpoint.Tcp(address.Host!, address.Port);
        var options = new QmpClientOptions
        {
            Dialect = parsed.GetValue(_guestAgent) ? QmpDialect.GuestAgent : QmpDialect.Qmp,
            ConnectTimeout = patience,
            CallTimeout = callPatience ?? patience,
        };
        try
        {
            return await QmpClient.ConnectAsync(endpoint, options, cancellation);
        }
        catch (QmpConnectionException e)
        {
            throw new ToolException(ExitCode.Connection, $"cannot talk to {address}: {e.Message}");
        }
    }
}
