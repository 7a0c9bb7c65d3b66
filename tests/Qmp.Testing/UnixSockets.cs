namespace Qmp.Testing;

/// <summary>What the kernel knows of Unix sockets.</summary>
public static class UnixSockets
{
    /// <summary>Whether a process listens on a path.</summary>
    /// <param name="path">The path as the process knows it: absolute, to tell it from others.</param>
    /// <param name="pid">The process.</param>
    /// <remarks>
    /// A connection attempt would be taken for the one client of a server that serves one at a time, so the kernel's table
    /// is asked: address, references, protocol, flags (0x10000: listens), type, state, inode, path. A socket of a daemon
    /// that was killed may still listen on the path for a moment (its io_uring ends later than the process), so only one
    /// that the process has open counts.
    /// </remarks>
    public static bool IsListening(string path, int pid)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        string[] sockets = [.. File.ReadLines("/proc/net/unix")
            .Where(line => line.EndsWith(" " + path, StringComparison.Ordinal))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(columns => columns[3] == "00010000")
            .Select(columns => $"socket:[{columns[6]}]")];
        return sockets.Length > 0 && OpenFiles(pid).Any(sockets.Contains);
    }

    private static IEnumerable<string?> OpenFiles(int pid)
    {
        try
        {
            return [.. Directory.EnumerateFiles($"/proc/{pid}/fd").Select(link => new FileInfo(link).LinkTarget)];
        }
        catch (IOException)
        {
            // It ended, or closed one meanwhile.
            return [];
        }
    }
}
