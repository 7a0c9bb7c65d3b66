namespace Qmp.Sessions;

/// <summary>What a line of a session does.</summary>
public enum SessionItemKind
{
    /// <summary>A line to send.</summary>
    Send,

    /// <summary>Bytes to send as they are, one per character of the text.</summary>
    SendRaw,

    /// <summary>A descriptor that goes along with what is sent next; the text says what it leads to.</summary>
    Descriptor,

    /// <summary>A line that is expected.</summary>
    Receive,

    /// <summary>A command to run beside the daemon.</summary>
    Run,

    /// <summary>Close a connection.</summary>
    Close,
}

/// <summary>One line of a session, a command together with its status and output.</summary>
/// <param name="LineNumber">Its line in the file, counted from 1.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Connection">The connection that it belongs to, counted from 1; 0 for a command.</param>
/// <param name="Text">What is sent, expected or run.</param>
public sealed record SessionItem(int LineNumber, SessionItemKind Kind, int Connection, string Text)
{
    /// <summary>For <see cref="SessionItemKind.Run"/>: the exit status.</summary>
    public int ExitStatus { get; init; }

    /// <summary>For <see cref="SessionItemKind.Run"/>: the output.</summary>
    public List<string> Output { get; } = [];

    /// <summary>Whether the text is an event. Replies and greetings keep their order, events stand among them.</summary>
    public bool IsEvent => SessionText.IsEvent(Text);
}
