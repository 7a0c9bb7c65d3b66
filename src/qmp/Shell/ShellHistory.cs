using System.Text;

namespace Qmp.Tool.Shell;

/// <summary>
/// The lines of earlier, kept in a file for the user alone. Lines that begin with a space or seem to hold a secret are
/// not kept.
/// </summary>
internal sealed class ShellHistory
{
    /// <summary>Lines that are kept.</summary>
    public const int MaxLines = 1000;

    private const int MaxLineLength = 16384;
    private const int MaxFileBytes = 16 * 1024 * 1024;

    private readonly string? _path;
    private readonly List<string> _lines = [];

    /// <param name="path">The file; null keeps nothing.</param>
    public ShellHistory(string? path)
    {
        _path = path;
        try
        {
            if (path is null || !File.Exists(path))
            {
                return;
            }

            if (new FileInfo(path).Length <= MaxFileBytes)
            {
                _lines.AddRange(File.ReadLines(path).Where(line => line.Length is > 0 and <= MaxLineLength).TakeLast(MaxLines));
            }

            Shorten();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _path = null;
        }
    }

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<string> Lines => _lines;

    /// <summary>The usual place: <c>qmp/history</c> in the folder for state of the XDG specification.</summary>
    public static string? DefaultPath()
    {
        if (Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { } state && Path.IsPathRooted(state))
        {
            return Path.Combine(state, "qmp", "history");
        }

        return Environment.GetEnvironmentVariable("HOME") is { } home && Path.IsPathRooted(home) ? Path.Combine(home, ".local", "state", "qmp", "history") : null;
    }

    public void Add(string line)
    {
        if (line.Length is 0 or > MaxLineLength || line[0] == ' ' || MayHoldSecret(line) || (_lines.Count > 0 && _lines[^1] == line))
        {
            return;
        }

        _lines.Add(line);
        if (_lines.Count > MaxLines)
        {
            _lines.RemoveAt(0);
        }

        try
        {
            if (_path is not null)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(_path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                using var file = Open(_path, FileMode.Append);
                file.Write(Encoding.UTF8.GetBytes(line + "\n"));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be kept is kept while the shell runs.
        }
    }

    private static bool MayHoldSecret(string line) =>
        line.Contains("password", StringComparison.Ordinal) || (line.Contains("secret", StringComparison.Ordinal) && line.Contains("data", StringComparison.Ordinal));

    private static FileStream Open(string path, FileMode mode) => new(path, new FileStreamOptions
    {
        Mode = mode,
        Access = FileAccess.Write,
        Share = FileShare.ReadWrite,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });

    // Each line is added at the end, by any number of shells; now and then one of them writes it anew.
    private void Shorten()
    {
        if (File.ReadLines(_path!).Take(2 * MaxLines + 1).Count() <= 2 * MaxLines && new FileInfo(_path!).Length <= MaxFileBytes)
        {
            return;
        }

        var fresh = $"{_path}.{Environment.ProcessId}";
        using (var file = Open(fresh, FileMode.Create))
        {
            file.Write(Encoding.UTF8.GetBytes(string.Concat(_lines.Select(line => line + "\n"))));
        }

        File.Move(fresh, _path!, overwrite: true);
    }
}
