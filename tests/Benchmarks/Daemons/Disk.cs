namespace Benchmarks.Daemons;

/// <summary>A disk that a daemon exports.</summary>
/// <param name="Name">Of its export; its socket is this with ".sock".</param>
/// <param name="Node">The block node it shows.</param>
/// <param name="Loop">The iothread that serves it; null for the main loop.</param>
/// <param name="Queues">Number of its virtqueues.</param>
/// <param name="IsWritable">Whether guests may write.</param>
internal sealed record Disk(string Name, string Node, string? Loop, int Queues = 1, bool IsWritable = true)
{
    public string Socket => Name + ".sock";

    /// <summary>The export as an option of the command line.</summary>
    public string[] Arguments(string folder) =>
    [
        "--export", $"type=vhost-user-blk,id={Name},node-name={Node},num-queues={Queues},"
            + $"addr.type=unix,addr.path={Path.Combine(folder, Socket)}"
            + (IsWritable ? ",writable=on" : "") + (Loop != null ? $",iothread={Loop}" : ""),
    ];
}
