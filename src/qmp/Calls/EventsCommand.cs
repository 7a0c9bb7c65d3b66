using System.CommandLine;
using Qmp.Client;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Calls;

/// <summary><c>qmp events</c>: prints what a server reports.</summary>
internal static class EventsCommand
{
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        var server = new ServerOptions();
        var filter = new Option<string[]>("--filter")
        {
            Description = "Only events of this name; '*' stands for any text. May be repeated",
            HelpName = "NAME",
        };
        var count = Arguments.Count("End after so many events (default: never)");
        var json = Arguments.Json("Print each event as one line of JSON");
        var command = new Command("events", "Print the events of a server as they come, until interrupted");
        server.AddTo(command);
        command.Add(filter);
        command.Add(count);
        command.Add(json);
        command.SetAction(async (parsed, cancellation) =>
        {
            var names = parsed.GetValue(filter) ?? [];
            await using var client = await server.ConnectAsync(parsed, ConnectPatience, cancellation);
            using var events = client.Subscribe(received => names.Length == 0 || names.Any(name => Matches(received.Name, name)));
            var left = parsed.GetValue(count) is > 0 and var limit ? limit : int.MaxValue;
            try
            {
                await foreach (var received in events.WithCancellation(cancellation))
                {
                    Terminal.Line(CallText.Event(received, parsed.GetValue(json)));
                    if (--left == 0)
                    {
                        return ExitCode.Ok;
                    }
                }
            }
            catch (QmpConnectionException e)
            {
                throw new ToolException(ExitCode.Connection, e.Message);
            }

            throw new ToolException(ExitCode.Connection, "the server has closed the connection");
        });
        return command;
    }

    /// <summary>Whether a name fits a pattern in which '*' stands for any text.</summary>
    internal static bool Matches(string name, string pattern) =>
        System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);
}
