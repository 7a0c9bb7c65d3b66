namespace Qmp.Testing;

/// <summary>
/// The programs in tests/Benchmarks/Load, compiled when first asked for. They are written in C so that the generator
/// of the load costs less than what it measures.
/// </summary>
public static class LoadGenerator
{
    /// <summary>A vhost-user-blk front end that generates load, checks data, and knows what must survive a crash.</summary>
    public static Task<string> DiskAsync() => BuildAsync("vublk-bench");

    /// <summary>A QMP client that measures round trips, pipelines, connects and large messages.</summary>
    public static Task<string> QmpAsync() => BuildAsync("qmp-bench");

    /// <summary>The least that a vhost-user-blk device has to do: what the machine itself costs, to measure daemons by.</summary>
    public static Task<string> BareDeviceAsync() => BuildAsync("bare-blk");

    private static async Task<string> BuildAsync(string name)
    {
        string source = Repository.PathOf("tests", "Benchmarks", "Load", name + ".c");
        string program = Path.Combine(AppContext.BaseDirectory, name);
        if (!File.Exists(program) || File.GetLastWriteTimeUtc(program) < File.GetLastWriteTimeUtc(source))
        {
            // Renamed when complete: another test may be about to run it.
            string partial = $"{program}.{Environment.ProcessId}.{Guid.NewGuid():N}";
            ShellResult result = await Shell.RunProgramAsync(
                "gcc", ["-O2", "-Wall", "-Werror", "-pthread", "-o", partial, source], AppContext.BaseDirectory);
            if (result.ExitStatus != 0)
            {
                throw new InvalidOperationException($"gcc {source} failed:\n{result.Output}");
            }

            File.Move(partial, program, overwrite: true);
        }

        return program;
    }
}
