using System.CommandLine;
using Qmp.Sessions;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Sessions;

/// <summary><c>qmp replay</c>: the client side of a recording against a server.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var file = Arguments.File("A recorded session");
        var socket = Arguments.Endpoint("SOCKET", "The server");
        var options = new SessionOptions();
        var command = new Command("replay", "Play the client side of a recording and check what the server says")
        {
            file, socket,
        };
        options.AddTo(command, playsClient: true);
        command.SetAction(async (parsed, cancellation) =>
        {
            var session = SessionOptions.Load(parsed.GetRequiredValue(file));
            using var player = new SessionPlayer(session, options.Names(parsed), options.Target(parsed, session, parsed.GetRequiredValue(socket)));
            await player.PlayAsync(cancellation);
            var lines = session.Items.Count(item => item.Kind == SessionItemKind.Receive);
            return SessionReport.Print(session.Path, player.Differences, parsed.GetValue(options.Json),
                $"{session.Path}: the server says the same, {lines} lines", ("expected", "received"));
        });
        return command;
    }
}
