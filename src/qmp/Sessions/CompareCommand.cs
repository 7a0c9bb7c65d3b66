using System.CommandLine;
using Qmp.Sessions;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Sessions;

/// <summary><c>qmp compare</c>: what two servers say to the same client.</summary>
internal static class CompareCommand
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(200);

    public static Command Create()
    {
        var file = Arguments.File("A recorded session; only what it sends matters");
        var first = Arguments.Endpoint("SOCKET-A", "The first server");
        var second = Arguments.Endpoint("SOCKET-B", "The second server");
        var options = new SessionOptions();
        var command = new Command("compare", "Say the same to two servers and compare what they answer")
        {
            file, first, second,
        };
        options.AddTo(command, playsClient: true);
        command.SetAction(async (parsed, cancellation) =>
        {
            var session = SessionOptions.Load(parsed.GetRequiredValue(file));
            SessionFile noted;
            using (var player = new SessionPlayer(session, options.Names(parsed), options.Target(parsed, session, parsed.GetRequiredValue(first))))
            {
                noted = await player.NoteAsync(Quiet, cancellation);
                if (player.Differences.Count > 0)
                {
                    return SessionReport.Print(session.Path, player.Differences, parsed.GetValue(options.Json), "", ("A", "B"));
                }
            }

            using var other = new SessionPlayer(noted, options.Names(parsed), options.Target(parsed, noted, parsed.GetRequiredValue(second)));
            await other.PlayAsync(cancellation);
            var lines = noted.Items.Count(item => item.Kind == SessionItemKind.Receive);
            return SessionReport.Print(session.Path, other.Differences, parsed.GetValue(options.Json),
                $"{session.Path}: both servers say the same, {lines} lines", ("A", "B"));
        });
        return command;
    }
}
