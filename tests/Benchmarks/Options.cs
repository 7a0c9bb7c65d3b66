using System.Globalization;

namespace Benchmarks;

/// <summary>What the command line asks for.</summary>
internal sealed record Options
{
    public const string Usage = """
        usage: dotnet run -c Release --project tests/Benchmarks -- [options]
          --only NAME     disk, qmp, load, start, memory or allocation (may be repeated)
          --rounds N      measurements of each daemon per line (default 3)
          --seconds S     length of one measurement (default 1)
          --iothread      serve the disks on an iothread (default: yes; --no-iothread for the main loop)
        """;

    public List<string> Only { get; } = [];

    public int Rounds { get; private set; } = 3;

    public double Seconds { get; private set; } = 1;

    public bool IoThread { get; private set; } = true;

    public bool Wants(string name) => Only.Count == 0 || Only.Contains(name);

    /// <returns>Null where the usage should be shown.</returns>
    public static Options? Parse(string[] arguments)
    {
        var options = new Options();
        for (int i = 0; i < arguments.Length; i++)
        {
            string? value = i + 1 < arguments.Length ? arguments[i + 1] : null;
            switch (arguments[i])
            {
                case "--only" when value is "disk" or "qmp" or "load" or "start" or "memory" or "allocation":
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
