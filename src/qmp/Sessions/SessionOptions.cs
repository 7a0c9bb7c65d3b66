using System.CommandLine;
using Qmp.Sessions;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Sessions;

/// <summary>The options of the commands that play a recording, and what they make.</summary>
internal sealed class SessionOptions
{
    private readonly Option<string> _folder = new("--dir")
    {
        Description = "What $DIR stands for in the file, and where its commands run (default: the current folder)",
        HelpName = "FOLDER",
    };

    private readonly Option<string[]> _free = new("--any")
    {
        Description = "A member of a reply or event whose value does not count; may be given several times",
        HelpName = "NAME",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<bool> _run = new("--run") { Description = "Run the shell commands in the file ('!' lines)" };

    private readonly Option<double> _timeout = Arguments.Timeout(30, "How long to wait for a line that should come");

    public Option<bool> Json { get; } = Arguments.Json();

    public void AddTo(Command command, bool playsClient)
    {
        command.Add(_folder);
        if (playsClient)
        {
            command.Add(_free);
            command.Add(_run);
        }

        command.Add(_timeout);
        command.Add(Json);
    }

    public string Folder(ParseResult parsed) => Path.GetFullPath(parsed.GetValue(_folder) ?? ".");

    public SessionNames Names(ParseResult parsed) => new(Folder(parsed), parsed.GetValue(_free));

    public TimeSpan Patience(ParseResult parsed) => TimeSpan.FromSeconds(parsed.GetValue(_timeout));

    /// <summary>Reads a recording.</summary>
    /// <exception cref="ToolException">It cannot be read.</exception>
    public static SessionFile Load(string path)
    {
        try
        {
            return SessionFile.Load(path);
        }
        catch (SessionFormatException e)
        {
            throw new ToolException(ExitCode.Usage, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCode.Usage, $"cannot read {path}: {e.Message}");
        }
    }

    /// <summary>A server to play against.</summary>
    /// <exception cref="ToolException">The file runs commands, and may not.</exception>
    public SessionTarget Target(ParseResult parsed, SessionFile session, SessionEndpoint endpoint)
    {
        var command = session.Items.FirstOrDefault(item => item.Kind == SessionItemKind.Run);
        if (command is not null && !parsed.GetValue(_run))
        {
            throw new ToolException(ExitCode.Usage, $"{session.Path}:{command.LineNumber}: the file runs shell commands, which takes --run");
        }

        var folder = Folder(parsed);
        return new SessionTarget
        {
            ConnectAsync = async cancellation => new SessionConnection(await endpoint.ConnectAsync(cancellation)),
            RunAsync = text => ShellCommand.RunAsync(text, folder),
            Patience = Patience(parsed),
        };
    }
}
