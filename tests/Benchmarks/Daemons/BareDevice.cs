using Qmp.Testing;

namespace Benchmarks.Daemons;

/// <summary>What the machine gives to a device that does the least possible: see <c>Load/bare-blk.c</c>.</summary>
internal static class BareDevice
{
    /// <param name="folder">Where the image is.</param>
    /// <param name="image">The image; null for requests that are done without being looked at.</param>
    /// <param name="spins">Whether it looks at the queue all the time, or sleeps until it is kicked.</param>
    /// <param name="arguments">Of the load generator.</param>
    public static async Task<DiskLoad> MeasureAsync(string folder, string? image, bool spins, params IEnumerable<string> arguments)
    {
        const string socket = "bare.sock";
        string path = Path.Combine(folder, socket);
        await using Daemon device = Daemon.Start(
            new DaemonProgram("bare", await LoadGenerator.BareDeviceAsync()), folder, path, image ?? "-", spins ? "spin" : "sleep");
        await device.WaitForSocketAsync(socket);
        DiskLoad load = await DiskLoad.MeasureAsync(device, socket, arguments);
        File.Delete(path);
        return load;
    }
}
