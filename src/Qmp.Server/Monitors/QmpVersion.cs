using Qmp.Protocol.Schema;

namespace Qmp.Server.Monitors;

/// <summary>What the greeting and <c>query-version</c> say.</summary>
internal static class QmpVersion
{
    /// <summary>The version of QEMU whose interface this is, and our own.</summary>
    public static VersionInfo Current { get; } = new()
    {
        Qemu = new VersionTriple { Major = 11, Minor = 0, Micro = 92 },
        Package = "qmpd-" + typeof(QmpVersion).Assembly.GetName().Version!.ToString(3),
    };
}
