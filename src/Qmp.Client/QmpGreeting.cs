using System.Text.Json;

namespace Qmp.Client;

/// <summary>What the server says of itself before anything else. Immutable.</summary>
public sealed class QmpGreeting
{
    internal QmpGreeting(JsonElement json)
    {
        Json = json;
        if (json.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        if (json.TryGetProperty("version", out var version) && version.ValueKind == JsonValueKind.Object)
        {
            Package = version.TryGetProperty("package", out var package) ? package.ToString() : "";
            if (version.TryGetProperty("qemu", out var qemu) && qemu.ValueKind == JsonValueKind.Object)
            {
                Version = new Version(Part(qemu, "major"), Part(qemu, "minor"), Part(qemu, "micro"));
            }
        }

        if (json.TryGetProperty("capabilities", out var capabilities) && capabilities.ValueKind == JsonValueKind.Array)
        {
            Capabilities = [.. capabilities.EnumerateArray().Select(capability => capability.ToString())];
        }
    }

    /// <summary>What stands under <c>QMP</c>, whole.</summary>
    public JsonElement Json { get; }

    /// <summary>The version of QEMU whose interface the server speaks.</summary>
    public Version Version { get; } = new(0, 0, 0);

    /// <summary>What the server calls itself; may be empty.</summary>
    public string Package { get; } = "";

    /// <summary>Capabilities that it offers.</summary>
    public IReadOnlyList<string> Capabilities { get; } = [];

    private static int Part(JsonElement version, string name) =>
        version.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.Number && part.TryGetInt32(out var value) && value >= 0 ? value : 0;
}
