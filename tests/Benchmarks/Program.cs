using Benchmarks;
using Benchmarks.Report;
using Benchmarks.Rows;
using Qmp.Testing;

RowGroup[] groups =
[
    new DiskRows("file", "1", DiskRows.FileNode, depth => depth == 1 ? 2 : 1.5, isFile: true),
    new ChainRows(),
    new DiskRows("null", "3", DiskRows.NullNode, _ => 1.2, isFile: false),
    new IdleRows(),
    new AllocationRows(),
    new ScalingRows(),
    new LoadRows(),
    new NativeRows(),
    new QmpRows(),
    new StartRows(),
    new MemoryRows(),
];
HashSet<string> names = [.. groups.Select(group => group.Name), "disk", .. groups.SelectMany(group => group.Goals)];
if (Options.Parse(args, names) is not Options options)
{
    Console.Error.WriteLine(Options.Usage);
    return 2;
}

if (DaemonProgram.Peer == null)
{
    Console.Error.WriteLine("qemu-storage-daemon is not installed: no ratios");
}

Machine machine = await Machine.DescribeAsync();
var table = new Table();
RowGroup[] wanted = [.. groups.Where(group => options.Wants(group.Name, group.Goals))];
var failed = new List<RowGroup>();
Table.PrintHeader();
foreach (RowGroup group in wanted)
{
    int first = table.Count;
    try
    {
        for (int round = 0; round < options.Rounds; round++)
        {
            Console.Error.WriteLine($"{group.Name}: round {round + 1} of {options.Rounds}");
            await group.MeasureAsync(round, options, table);
        }
    }
    catch (Exception failure) when (failure is InvalidOperationException or TimeoutException or IOException)
    {
        // The other groups are worth their minutes all the same.
        Console.Error.WriteLine($"{group.Name} failed: {failure.Message}");
        failed.Add(group);
    }

    table.PrintFrom(first);
}

IReadOnlyList<Verdict> verdicts = Verdict.Of(table, goal => groups.All(group => !group.Goals.Contains(goal) || (wanted.Contains(group) && !failed.Contains(group))));
Directory.CreateDirectory(options.Output);
JsonFile.Write(Path.Combine(options.Output, "results.json"), machine, options, table, verdicts);
MarkdownFile.Write(Path.Combine(options.Output, "results.md"), machine, options, table, verdicts);
Chart.Write(Path.Combine(options.Output, "chart.svg"), machine, table);

Console.WriteLine();
foreach (Verdict verdict in verdicts)
{
    Console.WriteLine(verdict);
}

Console.WriteLine($"written to {Path.GetFullPath(options.Output)}");
return failed.Count > 0 || verdicts.Any(verdict => verdict.Result == Verdict.Missed) ? 1 : 0;
