using System.Diagnostics;
using Fuzz;

if (Options.Parse(args) is not { } options)
{
    Console.Error.WriteLine(Options.Usage);
    foreach (var target in FuzzTarget.All)
    {
        Console.Error.WriteLine($"  {target.Name,-12} {target.Description}");
    }

    return 2;
}

foreach (var target in options.Targets)
{
    var fuzzer = new Fuzzer(target, options.Seed);
    var clock = Stopwatch.StartNew();
    if (options.Input is null)
    {
        Console.WriteLine($"{target.Name}: seed {options.Seed}");
    }

    var failure = options.Input is { } input ? fuzzer.Replay(input) : fuzzer.Run(options.Count, options.Time);
    if (failure is not null)
    {
        Console.WriteLine($"{target.Name}: FAILED with seed {options.Seed} after {fuzzer.Tried} inputs: {failure.Problem}");
        Console.WriteLine($"{failure.Input.Length} bytes; once more: -- {target.Name} --base64 {Convert.ToBase64String(failure.Input)}");
        return 1;
    }

    Console.WriteLine(options.Input is null
        ? $"{target.Name}: {fuzzer.Tried} inputs in {clock.Elapsed.TotalSeconds:0.0} s, nothing found"
        : $"{target.Name}: nothing wrong with this input");
}

return 0;
