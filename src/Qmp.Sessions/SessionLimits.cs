namespace Qmp.Sessions;

/// <summary>What a recording and a connection may cost.</summary>
public static class SessionLimits
{
    /// <summary>Bytes of one line, of a file or of a connection.</summary>
    public const int LineBytes = 64 << 20;

    /// <summary>Bytes of a file.</summary>
    public const long FileBytes = 256 << 20;

    /// <summary>Lines of a file.</summary>
    public const int Lines = 1 << 20;

    /// <summary>Nesting of a message that is read as JSON.</summary>
    public const int Depth = 1024;

    /// <summary>Connections of one session.</summary>
    public const int Connections = 1000;
}
