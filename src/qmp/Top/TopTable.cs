using System.Globalization;
using Qmp.Tool.Cli;
using Spectre.Console;

namespace Qmp.Tool.Top;

/// <summary>The rates of an interval as a table.</summary>
internal static class TopTable
{
    /// <summary>Renders it.</summary>
    /// <param name="disks">The disks in their order.</param>
    /// <param name="order">The name of the order.</param>
    /// <param name="width">Columns of the terminal.</param>
    /// <param name="colours">Whether to use colours.</param>
    public static string Render(IReadOnlyList<DiskRates> disks, string order, int width, bool colours)
    {
        var text = new StringWriter { NewLine = "\n" };
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = colours ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = colours ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = width;
        console.Profile.Capabilities.Unicode = true;
        if (disks.Count == 0)
        {
            console.WriteLine("No disk that the server counts requests of.");
        }
        else
        {
            console.Write(Build(disks, order));
        }

        return text.ToString();
    }

    private static Table Build(IReadOnlyList<DiskRates> disks, string order)
    {
        var hasLoops = disks.Any(disk => disk.Disk.Loop is not null);
        var table = new Table().Border(TableBorder.Simple).Collapse();
        table.AddColumn(Column("disk", order == "name").LeftAligned());
        table.AddColumn(Column("node", false).LeftAligned());
        if (hasLoops)
        {
            table.AddColumn(Column("loop", false).LeftAligned());
        }

        foreach (var title in new[] { "r/s", "w/s", "f/s" })
        {
            table.AddColumn(Column(title, order == "iops"));
        }

        foreach (var title in new[] { "rMiB/s", "wMiB/s" })
        {
            table.AddColumn(Column(title, order == "throughput"));
        }

        foreach (var title in new[] { "r µs", "w µs", "f µs" })
        {
            table.AddColumn(Column(title, order == "latency"));
        }

        table.AddColumn(Column("queue", order == "depth"));
        foreach (var disk in disks)
        {
            List<Markup> cells = [Cell(disk.Disk.Name, "bold"), Cell(disk.Disk.Node)];
            if (hasLoops)
            {
                cells.Add(Cell(disk.Disk.Loop ?? "", "cyan"));
            }

            cells.AddRange([Rate(disk.Read.PerSecond), Rate(disk.Write.PerSecond), Rate(disk.Flush.PerSecond)]);
            cells.AddRange([Rate(disk.Read.BytesPerSecond / 1048576, "F1"), Rate(disk.Write.BytesPerSecond / 1048576, "F1")]);
            cells.AddRange([Latency(disk.Read), Latency(disk.Write), Latency(disk.Flush)]);
            cells.Add(disk.Disk.IsHeld ? Cell("held", "yellow") : Rate(disk.Depth, "F1"));
            table.AddRow(cells);
        }

        return table;
    }

    private static TableColumn Column(string title, bool isOrder) =>
        new TableColumn(new Markup(Markup.Escape(title), isOrder ? Style.Parse("bold underline") : Style.Plain)) { NoWrap = true, Padding = new Padding(0, 0, 1, 0) }.RightAligned();

    private static Markup Cell(string text, string style = "default") => new(Markup.Escape(Terminal.Clean(text)), Style.Parse(style));

    private static Markup Rate(double value, string format = "F0") =>
        value == 0 ? Cell("0", "grey") : Cell(value.ToString(format, CultureInfo.InvariantCulture));

    private static Markup Latency(RequestRates rates) => rates.Failed > 0 ? Cell($"{rates.Failed} failed", "red")
        : rates.LatencyUs is { } us ? Cell(us.ToString(us < 100 ? "F1" : "F0", CultureInfo.InvariantCulture)) : Cell("-", "grey");
}
