namespace Qmp.Testing;

/// <summary>Where things lie in the work tree that the tests were built from.</summary>
public static class Repository
{
    /// <summary>The folder that holds Qmp.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The configuration ("Debug" or "Release") that the running tests were built in.</summary>
    public static string Configuration { get; } =
        AppContext.BaseDirectory.Contains("/Release/", StringComparison.Ordinal) ? "Release" : "Debug";

    public static string PathOf(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Qmp.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No Qmp.sln above {AppContext.BaseDirectory}.");
    }
}
