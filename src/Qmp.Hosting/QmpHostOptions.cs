using System.Reflection;
using Qmp.Protocol.Schema;

namespace Qmp.Hosting;

/// <summary>What a server says of itself and allows. Immutable.</summary>
public sealed record QmpHostOptions
{
    /// <summary>What the greeting and <c>query-version</c> say (default: name and version of the program).</summary>
    public VersionInfo Version { get; init; } = VersionOfProgram();

    /// <summary>Clients at once, from 1 up (default: 100); further ones are closed at once.</summary>
    public int MaxConnections { get; init; } = 100;

    /// <summary>How long the last replies may take to leave when the server ends (default: 1 s).</summary>
    public TimeSpan GoodbyeTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Takes lines for the operator, on any thread (default: nobody does).</summary>
    public Action<string> Log { get; init; } = _ => { };

    private static VersionInfo VersionOfProgram()
    {
        var program = Assembly.GetEntryAssembly()?.GetName();
        var version = program?.Version ?? new Version(0, 0, 0);
        return new VersionInfo
        {
            Qemu = new VersionTriple { Major = version.Major, Minor = version.Minor, Micro = Math.Max(0, version.Build) },
            Package = program?.Name ?? "",
        };
    }
}
