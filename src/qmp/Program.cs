using System.CommandLine;
using System.Net.Sockets;
using Qmp.Tool.Cli;

namespace Qmp.Tool;

/// <summary>From the command line to a command, and from its end to an exit status.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] words)
    {
        // A word with an at sign is the name of an abstract socket, not a file with more words.
        var parsed = CommandTree.Create().Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                Terminal.Complain(error.Message);
            }

            Console.Error.Write($"See 'qmp {string.Join(' ', PathOf(parsed.CommandResult.Command))}--help'.\n");
            return ExitCode.Usage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = TimeSpan.FromSeconds(5),
            });
        }
        catch (ToolException e)
        {
            Terminal.Complain(e.Message);
            return e.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            Terminal.Complain(e.Message);
            return ExitCode.Connection;
        }
    }

    private static string[] PathOf(Command command) =>
        command is RootCommand ? [] : [command.Name, ""];
}
