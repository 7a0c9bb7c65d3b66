using Benchmarks;
using Qmp.Testing;

if (Options.Parse(args) is not Options options)
{
    Console.Error.WriteLine(Options.Usage);
    return 2;
}

if (DaemonProgram.Peer == null)
{
    Console.Error.WriteLine("qemu-storage-daemon is not installed: no ratios");
}

var measurements = new Measurements(options);
var comparison = new Comparison(options, DaemonProgram.Qmpd, DaemonProgram.Peer);
Comparison.PrintHeader();
if (options.Wants("disk"))
{
    (string Name, string Node, double? Goal)[] nodes =
        [("null-co", Measurements.NullNode, null), ("file, io_uring", Measurements.FileNode, 1)];
    foreach ((string name, string node, double? goal) in nodes)
    {
        foreach (string direction in (string[])["randread", "randwrite"])
        {
            foreach (int depth in (int[])[1, 32, 128])
            {
                await comparison.RunAsync($"{name}: 4 KiB {direction}, depth {depth} [IOPS]", goal,
                    program => measurements.DiskAsync(program, node, direction, depth));
            }
        }
    }
}

if (options.Wants("qmp"))
{
    await comparison.RunAsync("QMP round trips, depth 1 [1/s]", 3, program => measurements.QmpAsync(program, 1));
    await comparison.RunAsync("QMP round trips, depth 32 [1/s]", 25, program => measurements.QmpAsync(program, 32));
}

if (options.Wants("start"))
{
    await comparison.RunAsync("time to greeting [ms]", null, Measurements.GreetingAsync);
}

if (options.Wants("memory"))
{
    await comparison.RunAsync("resident memory after load [MiB]", null, measurements.MemoryAsync);
}

return 0;
