using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Qmp.Testing.Sessions;

public enum SessionItemKind
{
    /// <summary>A line to send.</summary>
    Send,

    /// <summary>Bytes to send as they are, one per character of the text.</summary>
    SendRaw,

    /// <summary>A line that is expected.</summary>
    Receive,

    /// <summary>A command to run beside the daemon.</summary>
    Run,

    /// <summary>Close a connection.</summary>
    Close,
}

/// <summary>One line of a session, a command together with its status and output.</summary>
public sealed record SessionItem(int LineNumber, SessionItemKind Kind, int Connection, string Text)
{
    /// <summary>For <see cref="SessionItemKind.Run"/>: the exit status.</summary>
    public int ExitStatus { get; init; }

    /// <summary>For <see cref="SessionItemKind.Run"/>: the output.</summary>
    public List<string> Output { get; } = [];
}

/// <summary>A recorded QMP session; tests/sessions/README.md describes the format.</summary>
public sealed partial class SessionFile
{
    public required string Path { get; init; }

    public string Title { get; private set; } = "";

    /// <summary>The value of --monitor.</summary>
    public string Monitor { get; private set; } = "chardev=qmp0";

    public List<string> Setup { get; } = [];

    public List<string> Arguments { get; } = [];

    public List<string> After { get; } = [];

    public List<SessionItem> Items { get; } = [];

    /// <summary>The lines before the first item, as they stand in the file.</summary>
    public List<string> Header { get; } = [];

    public static SessionFile Load(string path)
    {
        var session = new SessionFile { Path = path };
        string[] lines = File.ReadAllLines(path);
        for (int i = 0; i < lines.Length; i++)
        {
            session.Add(i + 1, lines[i]);
        }

        return session;
    }

    public override string ToString() => System.IO.Path.GetFileNameWithoutExtension(Path);

    [GeneratedRegex(@"^# (title|monitor|setup|arg|after): ?(.*)$")]
    private static partial Regex HeaderLine();

    [GeneratedRegex(@"^(\d*)(->|=>|<-|-x)(?: (.*))?$", RegexOptions.Singleline)]
    private static partial Regex WireLine();

    private void Add(int number, string line)
    {
        if (line.Length == 0 || line[0] == '#')
        {
            if (Items.Count == 0)
            {
                Header.Add(line);
            }

            AddHeader(line);
            return;
        }

        if (line[0] is '!' or '?' or '|')
        {
            AddCommand(number, line[0], line.Length > 2 ? line[2..] : "");
            return;
        }

        Match match = WireLine().Match(line);
        if (!match.Success)
        {
            throw new FormatException($"{Path}:{number}: not a line of a session: {line}");
        }

        int connection = match.Groups[1].Length == 0 ? 1 : int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        string text = match.Groups[3].Value;
        Items.Add(match.Groups[2].Value switch
        {
            "->" => new(number, SessionItemKind.Send, connection, text),
            "=>" => new(number, SessionItemKind.SendRaw, connection, JsonSerializer.Deserialize<string>(text)!),
            "<-" => new(number, SessionItemKind.Receive, connection, text),
            _ => new(number, SessionItemKind.Close, connection, ""),
        });
    }

    private void AddHeader(string line)
    {
        Match match = HeaderLine().Match(line);
        if (!match.Success)
        {
            return;
        }

        string value = match.Groups[2].Value;
        switch (match.Groups[1].Value)
        {
            case "title":
                Title = value;
                break;
            case "monitor":
                Monitor = value;
                break;
            case "setup":
                Setup.Add(value);
                break;
            case "arg":
                Arguments.Add(value);
                break;
            default:
                After.Add(value);
                break;
        }
    }

    private void AddCommand(int number, char kind, string text)
    {
        if (kind == '!')
        {
            Items.Add(new(number, SessionItemKind.Run, 0, text));
        }
        else if (Items.Count == 0 || Items[^1].Kind != SessionItemKind.Run)
        {
            throw new FormatException($"{Path}:{number}: no command before this line.");
        }
        else if (kind == '|')
        {
            Items[^1].Output.Add(text);
        }
        else
        {
            Items[^1] = Items[^1] with { ExitStatus = int.Parse(text, CultureInfo.InvariantCulture) };
        }
    }
}
