using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qmp.Client;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Calls;

/// <summary><c>qmp exec</c>: one command, its reply, an exit status.</summary>
internal static class ExecCommand
{
    private const double DefaultPatience = 60;

    public static Command Create()
    {
        var server = new ServerOptions();
        var name = new Argument<string>("COMMAND") { Description = "The QMP command" };
        var values = new Argument<string[]>("ARGUMENTS")
        {
            Description = "Its arguments: key=value with dots for nested members (file.filename=a.img), "
                + "where the server's own introspection gives each its type; or one JSON object",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var outOfBand = new Option<bool>("--oob") { Description = "Let the command overtake those that run (exec-oob)" };
        var timeout = Arguments.Timeout(DefaultPatience, "How long to wait for the reply");
        var json = Arguments.Json("Print reply or error as one line of JSON");
        var command = new Command("exec", "Run one command and print its reply");
        server.AddTo(command);
        command.Add(name);
        command.Add(values);
        command.Add(outOfBand);
        command.Add(timeout);
        command.Add(json);
        command.SetAction(async (parsed, cancellation) =>
        {
            var patience = TimeSpan.FromSeconds(parsed.GetValue(timeout));
            await using var client = await server.ConnectAsync(parsed, patience, cancellation);
            try
            {
                var arguments = await ArgumentsAsync(client, parsed.GetRequiredValue(name), parsed.GetValue(values) ?? [], cancellation);
                var reply = await client.ExecuteAsync(parsed.GetRequiredValue(name), arguments,
                    new QmpCallOptions { OutOfBand = parsed.GetValue(outOfBand) }, cancellation);
                if (CallText.Reply(reply, parsed.GetValue(json)) is { Length: > 0 } text)
                {
                    Terminal.Line(text);
                }

                return ExitCode.Ok;
            }
            catch (QmpCommandException e) when (parsed.GetValue(json))
            {
                Terminal.Line(CallText.Error(e));
                return ExitCode.ServerError;
            }
            catch (QmpCommandException e)
            {
                throw new ToolException(ExitCode.ServerError, $"{e.ClassName}: {e.Description}");
            }
            catch (Exception e) when (e is QmpTimeoutException or QmpConnectionException or QmpProtocolException)
            {
                throw new ToolException(ExitCode.Connection, e.Message);
            }
        });
        return command;
    }

    private static async Task<JsonObject?> ArgumentsAsync(QmpClient client, string command, string[] words, CancellationToken cancellation)
    {
        try
        {
            return await CallText.ArgumentsAsync(words, command, () => ServerTypes.AskAsync(client, cancellation));
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            throw new ToolException(ExitCode.Usage, e.Message);
        }
    }
}
