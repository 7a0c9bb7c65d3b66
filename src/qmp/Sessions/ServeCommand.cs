using System.CommandLine;
using Qmp.Sessions;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Sessions;

/// <summary><c>qmp serve</c>: the server side of a recording.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var file = Arguments.File("A recorded session");
        var listen = Arguments.Endpoint("LISTEN", "Where to listen");
        var forever = new Option<bool>("--forever") { Description = "Begin again when the session is over, until interrupted" };
        var options = new SessionOptions();
        var command = new Command("serve", "Play the server side of a recording, and check what the client says")
        {
            file, listen, forever,
        };
        options.AddTo(command, playsClient: false);
        command.SetAction(async (parsed, cancellation) =>
        {
            var session = SessionOptions.Load(parsed.GetRequiredValue(file));
            using var listening = await ListeningAddress.OpenAsync(parsed.GetRequiredValue(listen));
            var exitCode = ExitCode.Ok;
            do
            {
                try
                {
                    using var server = new SessionServer(session, options.Names(parsed), options.Patience(parsed));
                    await server.PlayAsync(listening.Socket, cancellation);
                    var asked = session.Items.Count(item => item.Kind is SessionItemKind.Send or SessionItemKind.SendRaw);
                    exitCode = SessionReport.Print(session.Path, server.Differences, parsed.GetValue(options.Json),
                        $"{session.Path}: the client says the same, {asked} messages", ("expected", "received"));
                }
                catch (OperationCanceledException) when (parsed.GetValue(forever))
                {
                    return exitCode;
                }
            }
            while (parsed.GetValue(forever));
            return exitCode;
        });
        return command;
    }
}
