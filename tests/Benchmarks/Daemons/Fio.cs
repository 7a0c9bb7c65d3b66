using System.Globalization;
using System.Text.Json;
using Qmp.Testing;

namespace Benchmarks.Daemons;

/// <summary>What the machine gives without a daemon: fio on the same file.</summary>
internal static class Fio
{
    public static bool IsInstalled => Shell.Find("fio") != null;

    /// <summary>4 KiB requests per second by io_uring through the page cache.</summary>
    public static async Task<double> MeasureAsync(string folder, string file, string direction, int depth, double seconds)
    {
        // No map of what was read: the other load generator has none either.
        string output = await Shell.CheckAsync(
            $"fio --name=disk --filename={file} --rw={direction} --bs=4096 --ioengine=io_uring --iodepth={depth} --numjobs=1 "
            + "--direct=0 --invalidate=0 --norandommap --time_based --ramp_time=300ms "
            + string.Create(CultureInfo.InvariantCulture, $"--runtime={seconds * 1000:0}ms --output-format=json"),
            folder);
        using JsonDocument json = JsonDocument.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..]);
        return json.RootElement.GetProperty("jobs")[0]
            .GetProperty(direction == "randread" ? "read" : "write").GetProperty("iops").GetDouble();
    }
}
