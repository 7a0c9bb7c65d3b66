using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Qmp.Sessions;

/// <summary>A recorded QMP session; tests/sessions/README.md describes the format.</summary>
public sealed partial class SessionFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Where it was read, for messages.</summary>
    public required string Path { get; init; }

    /// <summary>One sentence that says what it is about.</summary>
    public string Title { get; private set; } = "";

    /// <summary>The value of --monitor.</summary>
    public string Monitor { get; private set; } = "chardev=qmp0";

    /// <summary>Shell commands that run before the daemon starts.</summary>
    public List<string> Setup { get; } = [];

    /// <summary>Further arguments of the daemon.</summary>
    public List<string> Arguments { get; } = [];

    /// <summary>Shell commands that run when the daemon has ended.</summary>
    public List<string> After { get; } = [];

    /// <summary>What happens, in order.</summary>
    public List<SessionItem> Items { get; } = [];

    /// <summary>The lines before the first item, as they stand in the file.</summary>
    public List<string> Header { get; } = [];

    /// <summary>Reads a file.</summary>
    /// <exception cref="SessionFormatException">It is not a session, or larger than <see cref="SessionLimits"/> allow.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a folder.</exception>
    public static SessionFile Load(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        return Read(stream, path);
    }

    /// <summary>Reads a stream to its end.</summary>
    /// <param name="stream">UTF-8 text.</param>
    /// <param name="path">Its name in messages.</param>
    /// <exception cref="SessionFormatException">It is not a session, or larger than <see cref="SessionLimits"/> allow.</exception>
    public static SessionFile Read(Stream stream, string path)
    {
        var session = new SessionFile { Path = path };
        var lines = new LineBuffer();
        var number = 0;
        var total = 0L;
        while (true)
        {
            while (lines.TryTake(out var line))
            {
                session.Add(++number, line);
            }

            int count;
            try
            {
                count = stream.Read(lines.Room().Span);
            }
            catch (InvalidDataException e)
            {
                throw new SessionFormatException(path, number + 1, e.Message);
            }

            if (count == 0)
            {
                break;
            }

            lines.Added(count);
            total += count;
            if (total > SessionLimits.FileBytes)
            {
                throw new SessionFormatException(path, number + 1, $"the file has more than {SessionLimits.FileBytes} bytes");
            }
        }

        if (lines.Pending > 0)
        {
            session.Add(number + 1, lines.TakeRest());
        }

        return session;
    }

    /// <summary>The name of the file without its ending.</summary>
    public override string ToString() => System.IO.Path.GetFileNameWithoutExtension(Path);

    [GeneratedRegex(@"^# (title|monitor|setup|arg|after): ?(.*)$")]
    private static partial Regex HeaderLine();

    [GeneratedRegex(@"^(\d*)(->|=>|<-|-x|-\+)(?: (.*))?$", RegexOptions.Singleline)]
    private static partial Regex WireLine();

    private void Add(int number, ReadOnlySpan<byte> bytes)
    {
        if (number > SessionLimits.Lines)
        {
            throw new SessionFormatException(Path, number, $"more than {SessionLimits.Lines} lines");
        }

        try
        {
            Add(number, Strict.GetString(bytes));
        }
        catch (DecoderFallbackException e)
        {
            throw new SessionFormatException(Path, number, $"not UTF-8 at byte {e.Index + 1}");
        }
    }

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
            throw new SessionFormatException(Path, number, $"not a line of a session: {Excerpt(line)}");
        }

        var connection = 1;
        if (match.Groups[1].Length > 0 && (!int.TryParse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out connection)
            || connection is 0 or > SessionLimits.Connections))
        {
            throw new SessionFormatException(Path, number, $"a connection's number is 1 to {SessionLimits.Connections}");
        }

        string text = match.Groups[3].Value;
        Items.Add(match.Groups[2].Value switch
        {
            "->" => new(number, SessionItemKind.Send, connection, text),
            "=>" => new(number, SessionItemKind.SendRaw, connection, SessionText.Unquote(text)
                ?? throw new SessionFormatException(Path, number, "after '=>' stands a JSON string of characters up to \\u00FF")),
            "<-" => new(number, SessionItemKind.Receive, connection, text),
            "-+" => new(number, SessionItemKind.Descriptor, connection, SessionDescriptor.IsValid(text) ? text
                : throw new SessionFormatException(Path, number, "after '-+' stands socket, pipe, memory, or 'r ', 'w ' or 'rw ' and a path")),
            _ => new(number, SessionItemKind.Close, connection, ""),
        });
    }

    private static string Excerpt(string line)
    {
        var text = line.Length > 60 ? line[..60] + "..." : line;
        return string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
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
            throw new SessionFormatException(Path, number, "no command before this line");
        }
        else if (kind == '|')
        {
            Items[^1].Output.Add(text);
        }
        else if (int.TryParse(text, CultureInfo.InvariantCulture, out var status))
        {
            // The list of output lines goes along: a line of output may stand before the status.
            var item = Items[^1] with { ExitStatus = status };
            Items[^1] = item;
        }
        else
        {
            throw new SessionFormatException(Path, number, "after '?' stands an exit status");
        }
    }
}
