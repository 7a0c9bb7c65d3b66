namespace Qmp.Tool.Cli;

/// <summary>What the program's exit status says to scripts.</summary>
internal static class ExitCode
{
    /// <summary>Done; nothing differs.</summary>
    public const int Ok = 0;

    /// <summary>The server answered with an error.</summary>
    public const int ServerError = 1;

    /// <summary>The command line is wrong, or a file that it names.</summary>
    public const int Usage = 2;

    /// <summary>No connection, or it was lost, or nothing came in time.</summary>
    public const int Connection = 3;

    /// <summary>What was said differs from what was expected.</summary>
    public const int Differs = 4;

    /// <summary>Ended by Ctrl-C or SIGTERM before it was done.</summary>
    public const int Interrupted = 130;

    /// <summary>All of them in words.</summary>
    public static IReadOnlyList<(int Status, string Meaning)> Meanings { get; } =
    [
        (Ok, "done; nothing differs"),
        (ServerError, "the server answered with an error"),
        (Usage, "the command line is wrong, or a file that it names"),
        (Connection, "no connection, or it was lost, or nothing came in time"),
        (Differs, "what was said differs from what was expected"),
        (Interrupted, "interrupted before it was done"),
    ];
}
