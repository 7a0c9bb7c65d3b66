using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Qmp.Client;
using Qmp.Tool.Calls;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Top;

/// <summary><c>qmp top</c>: what the disks do, live.</summary>
internal static class TopCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>The orders of the table; the first letter is the key that chooses one.</summary>
    public static IReadOnlyList<string> Orders { get; } = ["iops", "throughput", "latency", "depth", "name"];

    public static Command Create()
    {
        var server = new ServerOptions();
        var interval = new Option<double>("--interval") { Description = "Seconds between two looks", HelpName = "SECONDS", DefaultValueFactory = _ => 1 };
        interval.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 0.1 and <= 3600))
            {
                result.AddError("--interval is at least 0.1 and at most 3600 seconds");
            }
        });
        var sort = new Option<string>("--sort") { Description = "Order: iops, throughput, latency, depth (of the queue) or name", HelpName = "ORDER", DefaultValueFactory = _ => Orders[0] };
        sort.AcceptOnlyFromAmong([.. Orders]);
        var count = Arguments.Count("End after so many intervals (default: never)");
        var once = new Option<bool>("--once") { Description = "End after one interval" };
        var json = Arguments.Json("Print each interval as one line of JSON");
        var command = new Command("top", "Show rates, latencies, queue depths and loops of all disks. "
            + "On a terminal q ends it, and i, t, l, d and n sort by IOPS, throughput, latency, depth of the queue and name");
        server.AddTo(command);
        command.Add(interval);
        command.Add(sort);
        command.Add(count);
        command.Add(once);
        command.Add(json);
        command.SetAction(async (parsed, cancellation) =>
        {
            try
            {
                await using var client = await server.ConnectAsync(parsed, Patience, cancellation);
                var sampler = new DiskSampler(client);
                var seconds = TimeSpan.FromSeconds(parsed.GetValue(interval));
                var limit = parsed.GetValue(once) ? 1 : parsed.GetValue(count) is > 0 and var given ? given : int.MaxValue;
                var order = parsed.GetRequiredValue(sort);
                return parsed.GetValue(json) ? await LinesAsync(sampler, seconds, limit, (disks, length) => JsonText.Of(Json(DiskRates.Sort(disks, order), length)), cancellation)
                    : Console.IsOutputRedirected || Console.IsInputRedirected || parsed.GetValue(once)
                        ? await LinesAsync(sampler, seconds, limit, (disks, _) => TopTable.Render(DiskRates.Sort(disks, order), order, Console.IsOutputRedirected ? 160 : Console.WindowWidth, Terminal.HasColours).TrimEnd('\n'), cancellation)
                        : await ScreenAsync(sampler, seconds, limit, order, cancellation);
            }
            catch (QmpCommandException e)
            {
                throw new ToolException(ExitCode.ServerError, $"{e.ClassName}: {e.Description}");
            }
            catch (Exception e) when (e is QmpTimeoutException or QmpConnectionException or QmpProtocolException or FormatException)
            {
                throw new ToolException(ExitCode.Connection, e.Message);
            }
        });
        return command;
    }

    private static async Task<int> LinesAsync(
        DiskSampler sampler, TimeSpan interval, int limit, Func<List<DiskRates>, double, string> render, CancellationToken cancellation)
    {
        var (before, clock) = (await sampler.SampleAsync(cancellation), Stopwatch.StartNew());
        while (limit-- > 0)
        {
            await Task.Delay(interval, cancellation);
            var after = await sampler.SampleAsync(cancellation);
            var length = clock.Elapsed.TotalSeconds;
            clock.Restart();
            Terminal.Line(render(DiskRates.Between(before, after, length), length));
            before = after;
        }

        return ExitCode.Ok;
    }

    private static async Task<int> ScreenAsync(DiskSampler sampler, TimeSpan interval, int limit, string order, CancellationToken cancellation)
    {
        var keys = KeyReader.Start();
        Console.Out.Write("\e[?1049h\e[?25l");
        try
        {
            var (before, clock) = (await sampler.SampleAsync(cancellation), Stopwatch.StartNew());
            List<DiskRates> disks = DiskRates.Between(before, before, 1);
            var key = keys.ReadAsync(cancellation).AsTask();
            while (true)
            {
                Draw(DiskRates.Sort(disks, order), order, interval);
                var pause = Task.Delay(interval > clock.Elapsed ? interval - clock.Elapsed : TimeSpan.Zero, cancellation);
                if (await Task.WhenAny(key, pause) == key)
                {
                    var pressed = await key;
                    if (pressed.KeyChar is 'q' or 'Q' or '\u0003' or '\u0004' || (pressed.Key == ConsoleKey.C && pressed.Modifiers == ConsoleModifiers.Control))
                    {
                        return ExitCode.Ok;
                    }

                    order = Orders.FirstOrDefault(name => name[0] == char.ToLowerInvariant(pressed.KeyChar)) ?? order;
                    key = keys.ReadAsync(cancellation).AsTask();
                    continue;
                }

                await pause;
                var after = await sampler.SampleAsync(cancellation);
                disks = DiskRates.Between(before, after, clock.Elapsed.TotalSeconds);
                clock.Restart();
                before = after;
                if (--limit == 0)
                {
                    return ExitCode.Ok;
                }
            }
        }
        finally
        {
            Console.Out.Write("\e[?25h\e[?1049l");
            Console.Out.Flush();
        }
    }

    private static void Draw(IReadOnlyList<DiskRates> disks, string order, TimeSpan interval)
    {
        var time = DateTime.UtcNow.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        var head = $"{Terminal.Bold("qmp top")}  {time}  every {interval.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s, by {order}  {Terminal.Faint("q ends; i t l d n sort")}";
        var lines = (head + "\n" + TopTable.Render(disks, order, Console.WindowWidth, Terminal.HasColours)).TrimEnd('\n').Split('\n').Take(Math.Max(1, Console.WindowHeight - 1));
        // In one piece, and each line over the old one: nothing flickers.
        Console.Out.Write("\e[H" + string.Concat(lines.Select(line => line + "\e[K\n")) + "\e[J");
        Console.Out.Flush();
    }

    private static JsonObject Json(List<DiskRates> disks, double seconds) => new()
    {
        ["time"] = DateTime.UtcNow.ToString("O", CultureInfo.InvariantCulture),
        ["seconds"] = Math.Round(seconds, 3),
        ["disks"] = new JsonArray([.. disks.Select(Json)]),
    };

    private static JsonNode Json(DiskRates rates)
    {
        var disk = new JsonObject { ["name"] = rates.Disk.Name, ["node"] = rates.Disk.Node };
        if (rates.Disk.Loop is { } loop)
        {
            disk["loop"] = loop;
        }

        disk["queue-depth"] = Math.Round(rates.Depth, 2);
        if (rates.Disk.InFlight is { } inFlight)
        {
            disk["in-flight"] = inFlight;
            disk["held"] = rates.Disk.IsHeld;
        }

        disk["read"] = Json(rates.Read);
        disk["write"] = Json(rates.Write);
        disk["flush"] = Json(rates.Flush);
        disk["discard"] = Json(rates.Discard);
        return disk;
    }

    private static JsonObject Json(RequestRates rates)
    {
        var item = new JsonObject
        {
            ["per-second"] = Math.Round(rates.PerSecond, 1),
            ["bytes-per-second"] = Math.Round(rates.BytesPerSecond),
            ["failed"] = rates.Failed,
        };
        if (rates.LatencyUs is { } latency)
        {
            item["latency-us"] = Math.Round(latency, 1);
        }

        return item;
    }
}
