namespace Qmp.Testing;

/// <summary>Which storage daemon to run: ours or the one that it stands in for.</summary>
public sealed record DaemonProgram(string Name, string Path)
{
    /// <summary>
    /// qmpd, from the build output of the configuration that the tests run in, or as the variable QMPD says.
    /// </summary>
    public static DaemonProgram Qmpd { get; } = new("qmpd", QmpdPath());

    /// <summary>qemu-storage-daemon of the machine, or null where it is not installed.</summary>
    public static DaemonProgram? Peer { get; } =
        Shell.Find("qemu-storage-daemon") is string path ? new("qemu-storage-daemon", path) : null;

    public override string ToString() => Name;

    private static string QmpdPath()
    {
        string? chosen = Environment.GetEnvironmentVariable("QMPD");
        return string.IsNullOrEmpty(chosen)
            ? Repository.PathOf("src", "qmpd", "bin", Repository.Configuration, "net10.0", "qmpd")
            : chosen;
    }
}
