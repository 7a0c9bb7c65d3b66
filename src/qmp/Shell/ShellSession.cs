using System.Text.Json;
using System.Text.Json.Nodes;
using Qmp.Client;
using Qmp.Tool.Calls;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Shell;

/// <summary>What lines do: one at a time, with the transaction that is being typed.</summary>
/// <param name="client">The server.</param>
/// <param name="types">What it tells about its commands; null where it tells nothing.</param>
/// <param name="print">Where results go.</param>
/// <param name="complain">Where mistakes go.</param>
/// <param name="json">Whether results are lines of JSON.</param>
internal sealed class ShellSession(QmpClient client, ServerTypes? types, Action<string> print, Action<string> complain, bool json)
{
    private const string Opening = "transaction(";
    private const int MaxActions = 10000;

    private readonly ShellHelp _help = new(types);
    private JsonArray? _actions;

    /// <summary>Whether a transaction is being typed.</summary>
    public bool InTransaction => _actions is not null;

    /// <summary>Whether the user wants to leave.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Forgets the transaction that is being typed.</summary>
    public void DropTransaction() => _actions = null;

    /// <summary>Does what a line says.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public async Task<int> RunAsync(string line, int width, CancellationToken cancellation)
    {
        try
        {
            line = line.Trim();
            if (line.Length > 0 && line[0] != '#')
            {
                await InterpretAsync(line, width, cancellation);
            }

            return ExitCode.Ok;
        }
        catch (QmpCommandException e)
        {
            print(json ? CallText.Error(e) : Terminal.Red(Terminal.Clean($"{e.ClassName}: {e.Description}", keepLines: true)));
            return ExitCode.ServerError;
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            complain(e.Message);
            return ExitCode.Usage;
        }
        catch (Exception e) when (e is QmpTimeoutException or QmpConnectionException or QmpProtocolException)
        {
            complain(e.Message);
            return ExitCode.Connection;
        }
    }

    private async Task InterpretAsync(string line, int width, CancellationToken cancellation)
    {
        if (InTransaction)
        {
            await ActionAsync(line, cancellation);
        }
        else if (line.StartsWith(Opening, StringComparison.Ordinal))
        {
            _actions = [];
            if (line[Opening.Length..].Trim() is { Length: > 0 } rest)
            {
                await ActionAsync(rest, cancellation);
            }
        }
        else if (line[0] == '{')
        {
            var message = JsonNode.Parse(line) as JsonObject;
            var outOfBand = message?["exec-oob"];
            var command = (outOfBand ?? message?["execute"])?.GetValue<string>() ?? throw new FormatException("a message has a member 'execute'");
            await ExecuteAsync(command, message!["arguments"]?.AsObject(), outOfBand is not null, cancellation);
        }
        else
        {
            var words = ShellWords.Split(line);
            switch (words[0])
            {
                case "help" or "?":
                    print(words.Count == 1 ? _help.All(width) : _help.Command(words[1], words[2..], width));
                    break;
                case "exit":
                    IsOver = true;
                    break;
                default:
                    await ExecuteAsync(words[0], await CallText.ArgumentsAsync(words[1..], words[0], () => Task.FromResult(types)), outOfBand: false, cancellation);
                    break;
            }
        }
    }

    private async Task ActionAsync(string line, CancellationToken cancellation)
    {
        if (line[0] == ')')
        {
            var arguments = KeyValueArguments.Read(ShellWords.Split(line[1..]), types, types?.ArgumentsOf("transaction"));
            arguments["actions"] = _actions;
            _actions = null;
            await ExecuteAsync("transaction", arguments, outOfBand: false, cancellation);
            return;
        }

        if (_actions!.Count >= MaxActions)
        {
            throw new FormatException($"a transaction has at most {MaxActions} actions");
        }

        var closes = line.EndsWith(" )", StringComparison.Ordinal);
        var words = ShellWords.Split(closes ? line[..^2] : line);
        var type = types?.ArgumentsOfAction(words[0]);
        if (types is not null && type is null)
        {
            throw new FormatException($"the server has no action '{words[0]}'");
        }

        _actions.Add((JsonNode)new JsonObject { ["type"] = words[0], ["data"] = KeyValueArguments.Read(words[1..], types, type) });
        if (closes)
        {
            await ActionAsync(")", cancellation);
        }
    }

    private async Task ExecuteAsync(string command, JsonObject? arguments, bool outOfBand, CancellationToken cancellation)
    {
        var reply = await client.ExecuteAsync(command, arguments, new QmpCallOptions { OutOfBand = outOfBand }, cancellation);
        if (CallText.Reply(reply, json) is { Length: > 0 } text)
        {
            print(text);
        }
    }
}
