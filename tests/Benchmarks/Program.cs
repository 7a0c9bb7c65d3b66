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
    (string Name, string Node, Goal? Goal)[] nodes =
        [("null-co", Measurements.NullNode, null), ("file, io_uring", Measurements.FileNode, Goal.Ratio(1))];
    foreach ((string name, string node, Goal? goal) in nodes)
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
    Console.WriteLine("(100 clients: of one monitor of qmpd; the peer serves one client per monitor and has 100 monitors)");
    foreach (int clients in (int[])[1, 100])
    {
        foreach ((int depth, Goal goal) in ((int, Goal)[])[(1, Goal.Ratio(5)), (32, Goal.Ratio(50))])
        {
            string name = $"QMP, {clients} client{(clients > 1 ? "s" : "")}, depth {depth}";
            await comparison.RunAsync([($"{name} [1/s]", goal), ($"{name}: p50 [us]", null), ($"{name}: p99 [us]", null)],
                program => measurements.QmpAsync(program, clients, depth));
        }
    }
}

if (options.Wants("load"))
{
    Console.WriteLine("(one client at depth 1 while two disks serve 64 requests each, always)");
    foreach (bool ioThreads in (bool[])[false, true])
    {
        string name = $"QMP, disks on {(ioThreads ? "iothreads" : "the main loop")}";
        await comparison.RunAsync(
            [($"{name} [1/s]", null), ($"{name}: p50 [us]", null), ($"{name}: p99 [us]", Goal.RatioAtMost(0.1)), ("  and their load [IOPS]", null)],
            program => measurements.QmpUnderLoadAsync(program, ioThreads));
    }
}

if (options.Wants("start"))
{
    await comparison.RunAsync("time to greeting [ms]", null, Measurements.GreetingAsync);
}

if (options.Wants("memory"))
{
    await comparison.RunAsync("resident memory after load [MiB]", null, measurements.MemoryAsync);
}

if (options.Wants("allocation"))
{
    foreach (string direction in (string[])["randread", "randwrite"])
    {
        // The collector tells of 100 KiB at a time: a client that connects may cost that once, a request nothing.
        await comparison.RunAloneAsync($"allocated per 4 KiB {direction} [bytes]", Goal.AtMost(0.2),
            program => measurements.AllocationAsync(program, direction));
    }

    await comparison.RunAloneAsync("allocated per QMP round trip [bytes]", null, measurements.QmpAllocationAsync);
}

return comparison.PrintSummary() ? 0 : 1;
