using System.Diagnostics;
using Qmp.Testing;

namespace Tidy;

/// <summary>The files of the repository: what git knows, or all that is not built where there is no git.</summary>
internal static class SourceFiles
{
    private static readonly string[] Built = ["bin", "obj", "artifacts", "TestResults", ".git", ".vs", ".idea"];

    /// <summary>Paths relative to the root, with '/'.</summary>
    public static IReadOnlyList<string> All { get; } = List();

    public static IEnumerable<string> Under(string folder, string extension = "") =>
        All.Where(path => path.StartsWith(folder + "/", StringComparison.Ordinal)
            && path.EndsWith(extension, StringComparison.Ordinal));

    public static string[] Lines(string path) => File.ReadAllLines(Repository.PathOf(path));

    private static List<string> List()
    {
        if (Path.Exists(Repository.PathOf(".git")) && Shell.Find("git") is string git)
        {
            var start = new ProcessStartInfo(git,
                ["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"])
            {
                WorkingDirectory = Repository.Root,
                RedirectStandardOutput = true,
            };
            using Process process = Process.Start(start)!;
            string[] paths = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
            process.WaitForExit();
            if (process.ExitCode == 0)
            {
                return [.. paths.Where(path => File.Exists(Repository.PathOf(path))).Distinct()];
            }
        }

        return [.. Walk(new DirectoryInfo(Repository.Root))];
    }

    private static IEnumerable<string> Walk(DirectoryInfo folder) =>
        folder.EnumerateFiles().Select(file => Path.GetRelativePath(Repository.Root, file.FullName))
        .Concat(folder.EnumerateDirectories().Where(child => !Built.Contains(child.Name)).SelectMany(Walk));
}
