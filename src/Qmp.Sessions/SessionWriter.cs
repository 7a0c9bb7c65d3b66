using System.Globalization;

namespace Qmp.Sessions;

/// <summary>Writes a session line by line, each at once. Any thread.</summary>
public sealed class SessionWriter(TextWriter output)
{
    private readonly Lock _lock = new();

    /// <summary>Writes the lines of a header or a comment as they are.</summary>
    public void Line(string text)
    {
        lock (_lock)
        {
            output.Write(text + "\n");
            output.Flush();
        }
    }

    /// <summary>Writes an item.</summary>
    public void Item(SessionItem item)
    {
        string prefix = SessionText.Prefix(item.Connection);
        Line(item.Kind switch
        {
            SessionItemKind.Send => $"{prefix}-> {item.Text}",
            SessionItemKind.SendRaw => $"{prefix}=> {SessionText.Quote(System.Text.Encoding.Latin1.GetBytes(item.Text))}",
            SessionItemKind.Descriptor => $"{prefix}-+ {item.Text}",
            SessionItemKind.Receive => $"{prefix}<- {item.Text}",
            SessionItemKind.Close => $"{prefix}-x",
            _ => string.Join('\n', [$"! {item.Text}", "? " + item.ExitStatus.ToString(CultureInfo.InvariantCulture),
                .. item.Output.Select(line => "| " + line)]),
        });
    }
}
