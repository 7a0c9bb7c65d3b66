using System.Globalization;
using Qmp.Testing;

namespace Benchmarks;

/// <summary>What the command line asks for.</summary>
internal sealed record Options
{
    public const string Usage = """
        usage: dotnet run -c Release --project tests/Benchmarks -- [options]
          --only NAME     a group of rows: file, null, chain, idle, allocation, scaling, load, native, qmp, start, memory;
                          disk for file and null; or the number of a goal, 1 to 8 (may be repeated)
          --rounds N      measurements of each daemon per row (default 5)
          --seconds S     length of one measurement (default 1)
          --iothread      serve the disks on an iothread (default: yes; --no-iothread for the main loop)
          --output DIR    where to write results.json, results.md and chart.svg (default: artifacts/benchmarks)
        """;

    public List<string> Only { get; } = [];

    public int Rounds { get; private set; } = 5;

    public double Seconds { get; private set; } = 1;

    public bool IoThread { get; private set; } = true;

    public string Output { get; private set; } = Repository.PathOf("artifacts", "benchmarks");

    /// <summary>Whether to measure a group of rows.</summary>
    public bool Wants(string group, IEnumerable<string> goals) =>
        Only.Count == 0 || Only.Contains(group) || (group is "file" or "null" && Only.Contains("disk"))
        || goals.Any(Only.Contains);

    /// <param name="arguments">The command line.</param>
    /// <param name="names">What may follow --only.</param>
    /// <returns>Null where the usage should be shown.</returns>
    public static Options? Parse(string[] arguments, IReadOnlySet<string> names)
    {
        var options = new Options();
        for (int i = 0; i < arguments.Length; i++)
        {
            string? value = i + 1 < arguments.Length ? arguments[i + 1] : null;
            switch (arguments[i])
            {
                case "--only" when value != null && names.Contains(value):
                    options.Only.Add(value);
                    i++;
                    break;
                case "--rounds" when int.TryParse(value, out int rounds) && rounds > 0:
                    options.Rounds = rounds;
                    i++;
                    break;
                case "--seconds" when double.TryParse(value, CultureInfo.InvariantCulture, out double seconds) && seconds > 0:
                    options.Seconds = seconds;
                    i++;
                    break;
                case "--output" when value != null:
                    options.Output = value;
                    i++;
                    break;
                case "--iothread":
                    options.IoThread = true;
                    break;
                case "--no-iothread":
                    options.IoThread = false;
                    break;
                default:
                    return null;
            }
        }

        return options;
    }
}
