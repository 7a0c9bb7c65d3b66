using System.Globalization;

namespace Fuzz;

/// <summary>What the command line asks for.</summary>
internal sealed record Options
{
    public const string Usage = """
        usage: dotnet run -c Release --project tests/Fuzz -- [TARGET...] [options]
          --seed N         the same seed makes the same inputs (default: another one each time)
          --count N        inputs for each target
          --seconds S      how long to try each target (default 60, if no count is given)
          --input FILE     try the bytes of this file instead
          --base64 TEXT    try these bytes instead
        Without a target: all of them.
        """;

    public List<FuzzTarget> Targets { get; } = [];

    public int Seed { get; private set; } = Environment.TickCount & 0xffffff;

    public long Count { get; private set; } = long.MaxValue;

    public TimeSpan Time { get; private set; } = TimeSpan.MaxValue;

    public byte[]? Input { get; private set; }

    /// <returns>Null where the usage should be shown.</returns>
    public static Options? Parse(string[] arguments)
    {
        var options = new Options();
        for (var i = 0; i < arguments.Length; i++)
        {
            var value = i + 1 < arguments.Length ? arguments[i + 1] : null;
            switch (arguments[i])
            {
                case "--seed" when int.TryParse(value, CultureInfo.InvariantCulture, out var seed):
                    options.Seed = seed;
                    i++;
                    break;
                case "--count" when long.TryParse(value, CultureInfo.InvariantCulture, out var count) && count > 0:
                    options.Count = count;
                    i++;
                    break;
                case "--seconds" when double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 1e9:
                    options.Time = TimeSpan.FromSeconds(seconds);
                    i++;
                    break;
                case "--input" when File.Exists(value):
                    options.Input = File.ReadAllBytes(value);
                    i++;
                    break;
                case "--base64" when value is not null && Convert.TryFromBase64String(value, new byte[value.Length], out _):
                    options.Input = Convert.FromBase64String(value);
                    i++;
                    break;
                case var name when FuzzTarget.All.FirstOrDefault(target => target.Name == name) is { } target:
                    options.Targets.Add(target);
                    break;
                default:
                    return null;
            }
        }

        if (options.Targets.Count == 0)
        {
            options.Targets.AddRange(FuzzTarget.All);
        }

        if (options.Count == long.MaxValue && options.Time == TimeSpan.MaxValue)
        {
            options.Time = TimeSpan.FromSeconds(60);
        }

        return options;
    }
}
