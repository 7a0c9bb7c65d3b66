using Qmp.Testing;

namespace Benchmarks.Daemons;

/// <summary>qmpd as a native program, published into a folder that is kept: once, and again when the sources have changed.</summary>
internal static class NativeBuild
{
    private static string Cache { get; } = Repository.PathOf("artifacts", "native");

    /// <returns>The program, or why there is none.</returns>
    public static async Task<(DaemonProgram? Program, string Problem)> PublishAsync()
    {
        string program = Path.Combine(Cache, "out", "qmpd");
        if (!File.Exists(program) || File.GetLastWriteTimeUtc(program) < NewestSource())
        {
            Console.Error.WriteLine("publishing qmpd as a native program, which takes some minutes");

            // Its intermediate files lie there too: the build in the work tree stays as it is.
            string command = $"dotnet publish '{Repository.PathOf("src", "qmpd")}' -c Release -r linux-x64 -p:PublishAot=true "
                + (Shell.Find("clang") == null ? "-p:CppCompilerAndLinker=gcc " : "")
                + $"-p:RunAnalyzers=false --artifacts-path '{Cache}/build' -o '{Cache}/out' --disable-build-servers -v quiet -clp:NoSummary";
            Directory.CreateDirectory(Cache);
            ShellResult result = await Shell.RunAsync(command, Cache, TimeSpan.FromMinutes(15));
            if (result.ExitStatus != 0)
            {
                return (null, "the native build failed: " + result.Lines.LastOrDefault());
            }

            File.SetLastWriteTimeUtc(program, DateTime.UtcNow);
        }

        return (new DaemonProgram("qmpd (native)", program), "");
    }

    private static DateTime NewestSource() => ((string[])["src", "schema"])
        .SelectMany(folder => Directory.EnumerateFiles(Repository.PathOf(folder), "*", SearchOption.AllDirectories))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
        .Max(File.GetLastWriteTimeUtc);
}
